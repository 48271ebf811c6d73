// A line of the last five minutes, with its last value beside it.

import { h, say } from './dom.js';

const points = 60;
const width = 240;
const height = 44;
export const every = 5000;

export class Series {
  values = [];

  add(value) {
    this.values.push(value);
    if (this.values.length > points) this.values.shift();
  }
}

export class Chart {
  constructor(title, series, format, absent = '–') {
    this.series = series;
    this.format = format;
    this.absent = absent;
    this.line = h('polyline', { class: 'line', fill: 'none' });
    this.area = h('path', { class: 'area' });
    this.value = h('span', { class: 'value' }, '–');
    this.note = h('span', { class: 'note' });
    const box = `0 0 ${width} ${height}`;
    this.svg = h('svg', { viewBox: box, preserveAspectRatio: 'none', role: 'img', 'aria-label': title }, this.area, this.line);
    this.element = h('article', { class: 'card chart' }, h('h3', {}, title), h('p', {}, this.value, this.note), this.svg);
    this.title = title;
  }

  draw() {
    const { values } = this.series;
    if (values.length === 0) return;
    const known = values.filter(value => value !== null);
    const top = Math.max(...known, 1e-9);
    const x = i => width - (values.length - 1 - i) * width / (points - 1);
    const y = value => height - 2 - (value ?? 0) / top * (height - 6);
    const places = values.map((value, i) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`);
    this.line.setAttribute('points', places.join(' '));
    this.area.setAttribute('d', `M${x(0)},${height} L${places.join(' L')} L${width},${height} Z`);
    const last = values.at(-1);
    say(this.value, last === null ? this.absent : this.format(last));
    say(this.note, known.length ? `most ${this.format(Math.max(...known))}` : '');
    this.svg.setAttribute('aria-label', `${this.title}, the last five minutes: now ${this.value.textContent}, ${this.note.textContent}`);
  }
}
