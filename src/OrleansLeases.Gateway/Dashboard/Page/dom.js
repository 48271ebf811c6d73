// Elements, made without a parser of HTML: what a name says stays text.

const svg = 'http://www.w3.org/2000/svg';
const ofSvg = new Set(['svg', 'polyline', 'path', 'line', 'rect']);

/** Makes an element: h('a', { href, onclick }, 'text', node, null). */
export function h(tag, attributes = {}, ...children) {
  const element = ofSvg.has(tag) ? document.createElementNS(svg, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }

  element.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined));
  return element;
}

/** Puts children in the place of those that are there, unless they say the same: a reader's selection and focus stay. */
export function fill(element, ...children) {
  const next = h('div', {}, ...children);
  if (element.childNodes.length === next.childNodes.length
    && [...next.childNodes].every((node, i) => node.isEqualNode(element.childNodes[i]))) return;
  element.replaceChildren(...next.childNodes);
}

/** Sets the text where it is another. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

let hiding;

/** Tells the reader what came of something. */
export function toast(...children) {
  const element = document.getElementById('toast');
  element.replaceChildren(...children);
  element.classList.add('on');
  clearTimeout(hiding);
  hiding = setTimeout(() => element.classList.remove('on'), 6000);
}
