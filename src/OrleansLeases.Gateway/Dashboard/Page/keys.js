// The views of keys: all of them, and one.

import { call, pathOf, query } from './api.js';
import { fill, h, say } from './dom.js';
import { Known } from './known.js';
import { toKey, toKeys, toLease } from './route.js';
import { Rows } from './rows.js';
import { count, many, plain, shown } from './text.js';

const pageSize = 500;
const most = 5000;
const longestShown = 300;

const columns = [
  { title: 'Name', class: 'cell name-cell' },
  { title: 'Value', class: 'cell value-cell' },
  { title: 'Bound to the lease', class: 'cell lease-cell' },
  { title: 'Version', class: 'cell number version-cell' },
];

const bound = lease => lease
  ? [h('a', { href: toLease(lease.resource) }, shown(lease.resource)), ' of ', shown(lease.owner, 'owner')]
  : h('span', { class: 'none' }, 'free-standing');

export class KeyList {
  #rows = new Known(key => key.version);
  #prefix = null;
  #abort = new AbortController();
  #again = null;
  #isFull = false;
  #isLoaded = false;
  #problem = null;

  constructor() {
    this.rows = new Rows({ label: 'Keys', className: 'key-rows', columns, make: name => this.#row(name) });
    this.summary = h('p', { class: 'summary', role: 'status' });
    this.empty = h('div', { class: 'empty', hidden: true });
    this.prefix = h('input', {
      id: 'key-prefix', type: 'search', placeholder: 'All keys', autocomplete: 'off', spellcheck: 'false', 'aria-keyshortcuts': '/',
    });
    this.element = h('section', { class: 'view list-view' },
      h('h1', { class: 'unseen', tabindex: -1 }, 'Keys'),
      h('form', { class: 'search', role: 'search', onsubmit: event => event.preventDefault(), oninput: () => this.#search() },
        h('label', { class: 'field' }, h('span', {}, 'Name starts with'), this.prefix)),
      this.summary, this.rows.element, this.empty);
  }

  watches = parameters => parameters.get('prefix') ?? '';

  open({ parameters }) {
    const prefix = parameters.get('prefix') ?? '';
    document.title = 'Keys – Leases';
    if (document.activeElement !== this.prefix) this.prefix.value = prefix;
    if (prefix === this.#prefix) return false;
    this.#prefix = prefix;
    this.#rows.clear();
    this.#isLoaded = false;
    this.#draw();
    return true;
  }

  async resync() {
    this.#abort.abort();
    clearTimeout(this.#again);
    const { signal } = this.#abort = new AbortController();
    const seen = new Set();
    this.#rows.begin();
    let after;
    try {
      do {
        const page = await call(`v1/keys${query({ prefix: this.#prefix, pageSize, after })}`, { signal });
        for (const key of page.keys) {
          seen.add(key.key);
          if (key.version >= this.#rows.lastOf(key.key)) this.#rows.put(key.key, cut(key));
        }

        after = page.next;
        this.#isFull = after !== undefined && seen.size >= most;
        this.#draw();
      } while (after !== undefined && !this.#isFull);
      this.#rows.end(seen);
      [this.#isLoaded, this.#problem] = [true, null];
    } catch (error) {
      if (signal.aborted) return;
      this.#problem = error;
      this.#again = setTimeout(() => this.resync(), error.retryAfter ?? 2000);
    }

    this.#draw();
  }

  take({ name, data }) {
    if (this.#prefix === null || !data.key.startsWith(this.#prefix)) return;
    if (data.version <= this.#rows.lastOf(data.key)) return;
    if (name === 'key-deleted') this.#rows.drop(data.key, data.version);
    // Without its value it is not the newest change: another event follows.
    else if (data.value !== undefined) this.#rows.put(data.key, cut(data));
    this.#draw();
  }

  tick() {
  }

  refresh() {
  }

  #row(name) {
    const cells = columns.map(column => h('div', { class: column.class, role: 'cell' }));
    const [nameCell, value, lease, version] = cells;
    nameCell.append(h('a', { href: toKey(name) }, shown(name)));
    let drawn;
    return {
      cells,
      update: () => {
        const key = this.#rows.get(name);
        if (!key || key === drawn) return;
        drawn = key;
        fill(value, shown(key.value, 'value'));
        fill(lease, bound(key.lease));
        say(version, count(key.version));
      },
    };
  }

  #search() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => location.replace(toKeys(this.prefix.value)), 200);
  }

  #draw() {
    const { names } = this.#rows;
    this.rows.names = names;
    this.rows.element.hidden = names.length === 0;
    this.empty.hidden = names.length > 0;
    say(this.summary, this.#isFull ? `The first ${count(names.length)} keys. There are more: say how the name starts.`
      : `${many(names.length, 'key')}${this.#isLoaded ? '' : ', reading…'}`);
    fill(this.empty, h('p', {}, this.#problem?.message ?? (this.#isLoaded ? 'There is no such key.' : 'Reading…')));
  }
}

// A value may be of 64 KiB, and the list shows a line.
const cut = key => key.value.length > longestShown ? { ...key, value: `${key.value.slice(0, longestShown)}…` } : key;

export class KeyPage {
  #name = '';
  #abort = new AbortController();

  constructor() {
    this.title = h('h1', { tabindex: -1 });
    this.body = h('div', {});
    this.element = h('section', { class: 'view page-view' },
      h('p', { class: 'crumb' }, h('a', { href: '#/keys' }, 'Keys'), ' / '), this.title, this.body);
  }

  watches = () => this.#name;

  open({ name }) {
    document.title = `${plain(name)} – Leases`;
    this.#name = name;
    fill(this.title, shown(name));
    fill(this.body, h('p', { class: 'note' }, 'Reading…'));
    return true;
  }

  take({ data }) {
    if (data.key === this.#name) this.resync();
  }

  tick() {
  }

  refresh() {
  }

  async resync() {
    this.#abort.abort();
    const { signal } = this.#abort = new AbortController();
    try {
      const key = await call(`v1/keys/${pathOf(this.#name)}`, { signal });
      fill(this.body,
        h('dl', {},
          h('div', {}, h('dt', {}, 'Bound to the lease'), h('dd', {}, bound(key.lease))),
          h('div', {}, h('dt', {}, 'Version'), h('dd', {}, count(key.version)))),
        h('h2', {}, 'Value'), h('pre', { tabindex: 0, role: 'region', 'aria-label': 'Value' }, shown(key.value, 'value')));
    } catch (error) {
      if (!signal.aborted) fill(this.body, h('p', { class: 'headline' }, error.message));
    }
  }
}
