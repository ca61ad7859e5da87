// In the sandbox (diagram_sandbox.js): draws one diagram after the other, and hands back SVG as text. Mermaid writes HTML and
// inline styles here, of texts that nobody has looked at. The document around this one believes nothing of what comes out.

import { EDGES, HEAVIEST } from './diagram_limits.js';

/** @typedef {import('./diagram.js').Wanted} Wanted */
/** @typedef {{failed: 'large' | 'line' | 'missing' | 'wrong', detail: string}} Failure */
/** @typedef {{initialize: (config: object) => void, render: (id: string, text: string) => Promise<{svg: string, diagramType: string}>}} Mermaid */

const MERMAID = 'mermaid/mermaid.js';
/** Characters that Mermaid itself refuses: it would draw the refusal, so the text was looked at before. */
const LONGEST = 10_000;
/** What a text may not choose: it would be unreadable in the dark, or need what is not here. */
const OURS =
  'secure securityLevel startOnLoad maxTextSize maxEdges suppressErrorRendering theme themeVariables themeCSS darkMode look layout htmlLabels ' +
  'fontFamily altFontFamily fontSize dompurifyConfig';
const NOT_LOADED = /missing module/;
const TOO_MANY = /edge limit|too many edges|maximum text size/i;

/** For words on a dark or a light box. */
const INKS = ['#111111', '#ffffff'];

let count = 0;

/** @param {Wanted} wanted @returns {Promise<{svg: string, kind: string} | Failure>} */
export async function draw(wanted) {
  try {
    const { load } = /** @type {import('./loader.js').Frame} */ (/** @type {unknown} */ (globalThis));
    /** @type {{default: Mermaid}} */
    const { default: mermaid } = await load(MERMAID);
    mermaid.initialize(config(wanted));
    // Formulas in labels would be drawn with HTML: they stay as their source.
    const { svg, diagramType } = await mermaid.render(`d${(count += 1)}`, wanted.text.replaceAll('$$', '$\u2060$'));
    return svg.length > HEAVIEST ? { failed: 'large', detail: '' } : { svg: readable(svg), kind: diagramType };
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

/** The drawing with words that can be read. @param {string} markup */
function readable(markup) {
  const paper = document.createElement('template');
  paper.innerHTML = markup;
  const svg = paper.content.firstElementChild;
  if (!(svg instanceof SVGSVGElement)) throw new Error('no drawing');
  contrast(svg);
  centre(svg);
  return new XMLSerializer().serializeToString(svg);
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
    maxTextSize: LONGEST,
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
