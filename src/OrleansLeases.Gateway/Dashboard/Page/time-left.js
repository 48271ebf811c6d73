// The time that is left of a lease, as a bar and in words.

import { h, say } from './dom.js';
import { duration } from './text.js';

/** Two elements, which say at each tick what is left then: get(now) tells { left, of, isBound } in ms, or nothing. */
export function timeLeft(get) {
  const bar = h('span', { class: 'bar', 'aria-hidden': true }, h('span', {}));
  const text = h('span', { class: 'seconds' });
  return {
    cells: [bar, text],
    tick(now) {
      const counted = get(now);
      bar.classList.toggle('none', !counted);
      if (!counted) return say(text, '');
      const share = counted.of > 0 ? Math.max(0, Math.min(1, counted.left / counted.of)) : 0;
      bar.firstChild.style.transform = `scaleX(${share.toFixed(3)})`;
      bar.classList.toggle('low', share < 0.2);
      say(text, `${counted.isBound ? '≤ ' : ''}${duration(counted.left)}`);
    },
  };
}
