// The drawing that comes out of the sandbox, as an image that stands alone: of a closed vocabulary, with a size. What has drawn it
// may have been got the better of by a text, so nothing of it is believed: it is read as XML, which runs nothing, and cut down.

import { HEAVIEST, isTooWide } from './diagram_limits.js';

/** @typedef {{svg: string, width: number, height: number}} Image */

const SVG = 'http://www.w3.org/2000/svg';
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

/** @param {unknown} markup @returns {Image | null} null when it is too large */
export function imageOf(markup) {
  if (typeof markup !== 'string') throw new Error('no drawing');
  if (markup.length > HEAVIEST) return null;
  const svg = new DOMParser().parseFromString(markup, 'image/svg+xml').documentElement;
  if (svg.namespaceURI !== SVG || svg.localName !== 'svg') throw new Error('no drawing');
  clean(svg);
  const [, , width, height] = (svg.getAttribute('viewBox') ?? '').split(/[\s,]+/).map(Number);
  if (!(width > 0 && height > 0)) throw new Error('an empty drawing');
  if (isTooWide(width, height)) return null;
  svg.removeAttribute('style');
  svg.setAttribute('width', String(width));
  svg.setAttribute('height', String(height));
  return { svg: new XMLSerializer().serializeToString(svg), width, height };
}

/** @param {Element} svg */
function clean(svg) {
  for (const link of svg.querySelectorAll('a')) link.replaceWith(...link.childNodes);
  for (const each of svg.querySelectorAll('*')) {
    if (each.namespaceURI !== SVG || !ELEMENTS.has(each.localName)) each.remove();
    if (each.localName === 'style') each.textContent = (each.textContent ?? '').replace(OUTSIDE, '');
  }
  for (const each of [svg, ...svg.querySelectorAll('*')]) {
    for (const { name, localName, value } of [...each.attributes]) {
      const leads = localName === 'href' ? !REFERENCE.test(value) : value.search(OUTSIDE) >= 0;
      if (leads || /^on|^src/i.test(localName)) each.removeAttribute(name);
    }
  }
}
