// Draws diagrams, in a hidden document of its own: Mermaid writes HTML and inline styles, which the screen's policy lets nobody
// do. Here they may be written, and nothing else: no code but the app's own files runs, and nothing is fetched but those. What is
// handed back is an SVG as text, of a closed vocabulary; the screen shows it as an image (screen/answer/diagram_frame.js asks).

/** @typedef {{text: string, dark: boolean, colours: Record<string, string>, font: string}} Wanted */
/** @typedef {{svg: string, width: number, height: number, kind: string, title: string}} Drawing */
/** @typedef {{failed: 'large' | 'line' | 'missing' | 'wrong', detail: string}} Failure */
/** @typedef {{initialize: (config: object) => void, render: (id: string, text: string) => Promise<{svg: string, diagramType: string}>}} Mermaid */

const MERMAID = './mermaid/mermaid.js';
/** Characters, lines and edges of a diagram. What draws it has the page's own thread: with these it is held for a second or so at most. */
const LONGEST = 4000;
const LINES = 150;
const EDGES = 100;
/** Characters of a drawing. */
const HEAVIEST = 1_000_000;

const ELEMENTS = new Set(
  (
    'svg g path rect circle ellipse line polyline polygon text tspan textPath defs marker symbol use image title desc style ' +
    'linearGradient radialGradient stop clipPath mask pattern filter feDropShadow feFlood feGaussianBlur feOffset feMerge feMergeNode ' +
    'feComposite feBlend feColorMatrix'
  ).split(' '),
);
/** Where a reference may lead: inside, or to a picture that is there already. */
const REFERENCE = /^\s*(?:#|data:image\/(?:png|jpeg|gif);)/i;
const OUTSIDE = /@import|url\(\s*["']?(?!\s*["']?#)/gi;
/** What a text may not choose: it would be unreadable in the dark, or need what is not here. */
const OURS =
  'secure securityLevel startOnLoad maxTextSize maxEdges suppressErrorRendering theme themeVariables themeCSS darkMode look layout htmlLabels ' +
  'fontFamily altFontFamily fontSize dompurifyConfig';
/** In a text, or as the error of a browser. */
const TITLE = /^[ \t]*(?:acc)?title\b[:\s]\s*(\S.*)$/im;
const NOT_LOADED = /dynamically imported module|Importing a module script failed/i;
const TOO_MANY = /edge limit|too many edges|maximum text size/i;

/** For words on a dark or a light box. */
const INKS = ['#111111', '#ffffff'];

let count = 0;

/** @param {Wanted} wanted @returns {Promise<Drawing | Failure>} */
async function answer(wanted) {
  if (wanted.text.length > LONGEST || wanted.text.split('\n').length > LINES) return { failed: 'large', detail: '' };
  try {
    /** @type {{default: Mermaid}} */
    const { default: mermaid } = await import(MERMAID);
    mermaid.initialize(config(wanted));
    // Formulas in labels would be drawn with HTML: they stay as their source.
    const { svg, diagramType } = await mermaid.render(`d${(count += 1)}`, wanted.text.replaceAll('$$', '$\u2060$'));
    if (svg.length > HEAVIEST) return { failed: 'large', detail: '' };
    return { ...whole(svg), kind: diagramType, title: (TITLE.exec(wanted.text)?.[1] ?? '').trim() };
  } catch (error) {
    return reason(error);
  } finally {
    document.body.replaceChildren(); // what a drawing that has failed leaves behind
  }
}

/** @param {unknown} error @returns {Failure} */
function reason(error) {
  const words = error instanceof Error ? error.message : String(error);
  if (NOT_LOADED.test(words)) return { failed: 'missing', detail: '' };
  if (TOO_MANY.test(words)) return { failed: 'large', detail: '' };
  const line = /\bline:? (\d+)/i.exec(words)?.[1];
  return line ? { failed: 'line', detail: line } : { failed: 'wrong', detail: words.split('\n')[0].slice(0, 200) };
}

// What comes back

/** The drawing as an image that stands alone, with a size. @param {string} markup */
function whole(markup) {
  const paper = document.createElement('template');
  paper.innerHTML = markup;
  const svg = paper.content.firstElementChild;
  if (!(svg instanceof SVGSVGElement)) throw new Error('no drawing');
  clean(svg);
  contrast(svg);
  centre(svg);
  const [, , width, height] = (svg.getAttribute('viewBox') ?? '').split(/[\s,]+/).map(Number);
  if (!(width > 0 && height > 0)) throw new Error('an empty drawing');
  svg.removeAttribute('style');
  svg.setAttribute('width', String(width));
  svg.setAttribute('height', String(height));
  return { svg: new XMLSerializer().serializeToString(svg), width, height };
}

/** @param {SVGSVGElement} svg */
function clean(svg) {
  for (const link of svg.querySelectorAll('a')) link.replaceWith(...link.childNodes);
  for (const each of svg.querySelectorAll('*')) {
    if (each.namespaceURI !== svg.namespaceURI || !ELEMENTS.has(each.localName)) each.remove();
    if (each.localName === 'style') each.textContent = (each.textContent ?? '').replace(OUTSIDE, '');
  }
  for (const each of [svg, ...svg.querySelectorAll('*')]) {
    for (const { name, localName, value } of [...each.attributes]) {
      const leads = localName === 'href' ? !REFERENCE.test(value) : value.search(OUTSIDE) >= 0;
      if (leads || /^on|^src/i.test(localName)) each.removeAttribute(name);
    }
  }
}

/** A text may colour a box and leave its words in the page's colour, which then may be as light as the box. @param {SVGSVGElement} svg */
function contrast(svg) {
  const pen = new OffscreenCanvas(1, 1).getContext('2d');
  for (const box of /** @type {NodeListOf<SVGElement>} */ (
    svg.querySelectorAll('.node > [style*=fill], .cluster > [style*=fill]')
  )) {
    const label = box.parentElement?.querySelector('.label, .cluster-label');
    if (!pen || !label || box === label || /fill|color/.test(label.getAttribute('style') ?? '')) continue;
    pen.fillStyle = INKS[0];
    pen.fillStyle = box.style.fill;
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(String(pen.fillStyle).slice(at, at + 2), 16));
    const ink = 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? INKS[0] : INKS[1];
    for (const words of /** @type {NodeListOf<SVGElement>} */ (label.querySelectorAll('text, tspan')))
      words.style.setProperty('fill', ink, 'important');
  }
}

/** States have a least width, in which Mermaid leaves words that are no HTML at the left. @param {SVGSVGElement} svg */
function centre(svg) {
  for (const label of svg.querySelectorAll('.statediagram-state > .label')) {
    const half = /^translate\(-([\d.]+)/.exec(label.getAttribute('transform') ?? '')?.[1];
    if (!half) continue;
    label.querySelector('text')?.setAttribute('text-anchor', 'middle');
    for (const row of label.querySelectorAll('tspan.row')) row.setAttribute('x', half);
  }
}

// How it looks

/** @param {Wanted} wanted */
function config({ dark, colours, font }) {
  return {
    startOnLoad: false,
    securityLevel: 'strict',
    secure: OURS.split(' '),
    suppressErrorRendering: true,
    maxTextSize: 2 * LONGEST, // looked at above: Mermaid would draw the refusal
    maxEdges: EDGES,
    htmlLabels: false,
    flowchart: { htmlLabels: false },
    layout: 'dagre',
    look: 'classic',
    logLevel: 5,
    theme: 'base',
    darkMode: dark,
    fontFamily: font,
    gantt: { useWidth: 800 },
    journey: { textPlacement: 'tspan', sectionColours: [colours.ink], taskFontFamily: font },
    themeCSS: `.grid .tick line { stroke: ${colours.line}; }`, // the lines of a Gantt chart would be black
    themeVariables: { ...named(colours), darkMode: dark, fontFamily: font, fontSize: '15px' },
  };
}

/** The page's colours, by Mermaid's names. @param {Record<string, string>} colours those of code are the hues */
function named({ code, tint, line, ink, soft, ...others }) {
  const hues = Object.values(others);
  const [blue, , amber, teal] = hues;
  /** @param {string} hue */
  const pale = (hue) => mixed(hue, code, 0.35);
  /** @param {string} name @param {number} many @param {(i: number) => string} colour */
  const all = (name, many, colour) =>
    Object.fromEntries(Array.from({ length: many }, (_, i) => [`${name}${i}`, colour(i)]));
  /** @param {number} i */
  const shade = (i) => mixed(hues[i % hues.length], code, i < hues.length ? 0.35 : 0.6);
  return {
    background: code,
    mainBkg: tint,
    primaryColor: tint,
    secondaryColor: tint,
    tertiaryColor: code,
    compositeTitleBackground: tint,
    altBackground: code,
    primaryTextColor: ink,
    secondaryTextColor: ink,
    tertiaryTextColor: ink,
    textColor: ink,
    titleColor: ink,
    nodeTextColor: ink,
    primaryBorderColor: soft,
    secondaryBorderColor: soft,
    tertiaryBorderColor: line,
    clusterBkg: code,
    clusterBorder: line,
    lineColor: soft,
    arrowheadColor: soft,
    edgeLabelBackground: code,
    labelBackgroundColor: code,
    relationLabelBackground: code,
    noteBkgColor: code,
    noteTextColor: ink,
    noteBorderColor: line,
    actorLineColor: line,
    activationBkgColor: line,
    activationBorderColor: soft,
    sequenceNumberColor: code,
    rowOdd: code,
    rowEven: tint,
    archEdgeColor: soft,
    archEdgeArrowColor: soft,
    archGroupBorderColor: line,
    sectionBkgColor: tint,
    sectionBkgColor2: tint,
    altSectionBkgColor: code,
    excludeBkgColor: line,
    gridColor: line,
    todayLineColor: amber,
    vertLineColor: soft,
    taskBkgColor: pale(blue),
    taskBorderColor: blue,
    activeTaskBkgColor: pale(teal),
    activeTaskBorderColor: teal,
    doneTaskBkgColor: line,
    doneTaskBorderColor: soft,
    critBkgColor: pale(amber),
    critBorderColor: amber,
    pieOpacity: '1',
    pieStrokeColor: code,
    pieOuterStrokeColor: line,
    pieOuterStrokeWidth: '1px',
    pieTitleTextSize: '17px',
    pieSectionTextSize: '14px',
    pieLegendTextSize: '14px',
    commitLabelColor: ink,
    commitLabelBackground: code,
    branchLabelColor: ink,
    faceColor: tint,
    ...all('pie', 13, (i) => shade(i + hues.length - 1)),
    ...all('cScale', 12, shade),
    ...all('cScaleLabel', 12, () => ink),
    ...all('cScalePeer', 12, () => soft),
    ...all('cScaleInv', 12, () => soft),
    ...all('fillType', 8, shade),
    ...all('git', 8, shade),
    ...all('gitInv', 8, () => code),
    ...all('gitBranchLabel', 8, () => ink),
    ...all('venn', 9, shade),
    quadrant1Fill: code,
    quadrant2Fill: tint,
    quadrant3Fill: code,
    quadrant4Fill: tint,
    quadrantPointFill: blue,
    quadrant1TextFill: ink,
    quadrant2TextFill: ink,
    quadrant3TextFill: ink,
    quadrant4TextFill: ink,
    xyChart: { backgroundColor: code, plotColorPalette: hues.map(pale).join() },
    radar: { graticuleColor: soft, graticuleOpacity: 0.1, axisColor: line },
    packet: {
      startByteColor: soft,
      endByteColor: soft,
      labelColor: ink,
      titleColor: ink,
      blockStrokeColor: soft,
      blockFillColor: tint,
    },
  };
}

/** So much of one colour in another, both as #rrggbb: names and functions are not understood everywhere. @param {string} one @param {string} other @param {number} share */
function mixed(one, other, share) {
  /** @param {string} colour @param {number} i */
  const part = (colour, i) => parseInt(colour.slice(1 + 2 * i, 3 + 2 * i), 16);
  const mix = [0, 1, 2].map((i) => Math.round(share * part(one, i) + (1 - share) * part(other, i)));
  return `#${mix.map((each) => each.toString(16).padStart(2, '0')).join('')}`;
}

// Asked from outside

const { port1, port2 } = new MessageChannel();
port1.onmessage = async ({ data }) => port1.postMessage(await answer(data));
parent.postMessage('diagrams', location.origin, [port2]);
