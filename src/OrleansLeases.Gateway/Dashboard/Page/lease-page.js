// The view of one resource: who has it, who waits, and why each lease ended.

import { batch, call, pathOf } from './api.js';
import { fill, h, say } from './dom.js';
import { endOf, grants, lastEnd, queueOf, whyNot } from './history.js';
import { HolderCards, mostKeys } from './holders.js';
import { freshFor } from './leases.js';
import { toLeases } from './route.js';
import { many, plain, shown, time } from './text.js';

const kinds = { breaking: 'to be broken', transferred: 'handed over' };

export class LeasePage {
  #name = '';
  #abort = new AbortController();
  #row = null;
  #history = null;
  #values = new Map();
  #isDue = true;
  #reading = false;
  #problem = null;

  constructor(rights) {
    this.crumb = h('p', { class: 'crumb' });
    this.title = h('h1', { tabindex: -1 });
    this.state = h('span', {});
    this.headline = h('p', { class: 'headline' });
    this.holders = new HolderCards(rights, () => this.resync());
    this.queue = h('div', { class: 'queue' });
    this.owners = h('datalist', { id: 'owners' });
    this.asker = h('input', { id: 'asker', list: 'owners', placeholder: 'An owner', autocomplete: 'off', spellcheck: 'false' });
    this.answer = h('div', { class: 'answer', role: 'status' });
    this.events = h('tbody', {});
    this.since = h('p', { class: 'note' });
    const heads = ['Number', 'When', 'What', 'Owner', 'Token', 'Why it ended'].map(title => h('th', { scope: 'col' }, title));
    this.element = h('section', { class: 'view page-view' },
      this.crumb,
      h('div', { class: 'title' }, this.title, this.state),
      this.headline, this.holders.element, this.queue,
      h('h2', {}, 'Why don’t I have it?'),
      h('form', { class: 'why', onsubmit: event => event.preventDefault(), oninput: () => this.#explain() },
        h('label', { class: 'field' }, h('span', {}, 'As which owner'), this.asker), this.owners),
      this.answer,
      h('h2', {}, 'History'),
      h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'History' },
        h('table', { class: 'events' }, h('thead', {}, h('tr', {}, heads)), this.events)),
      this.since);
  }

  watches = () => this.#name;

  open({ name }) {
    document.title = `${plain(name)} – Leases`;
    if (name === this.#name) return false;
    this.#abort.abort();
    this.#abort = new AbortController();
    [this.#name, this.#row, this.#history, this.#problem, this.#reading] = [name, null, null, null, false];
    this.#values.clear();
    this.asker.value = '';
    this.answer.replaceChildren();
    fill(this.title, shown(name));
    const parents = name.split('/').slice(0, -1);
    fill(this.crumb, h('a', { href: '#/' }, 'Leases'), parents.map((segment, i) =>
      [' / ', h('a', { href: toLeases({ prefix: `${parents.slice(0, i + 1).join('/')}/` }) }, shown(segment))]));
    this.#draw();
    return true;
  }

  resync() {
    this.#isDue = true;
    this.refresh();
  }

  /** Takes an event of the watch: what it leaves out is read. */
  take({ data }) {
    if (data.resource === this.#name) this.resync();
    if (data.key !== undefined && (this.#values.has(data.key) || data.lease?.resource === this.#name)) this.resync();
  }

  tick(now) {
    this.holders.tick(now);
  }

  async refresh() {
    const row = this.#row;
    const isOld = !row || performance.now() - row.readAt > freshFor(row);
    if (this.#reading || !(this.#isDue || isOld)) return;
    const isDue = this.#isDue;
    [this.#reading, this.#isDue] = [true, false];
    const { signal } = this.#abort;
    try {
      await this.#read(isDue, signal);
      this.#problem = null;
    } catch (error) {
      if (signal.aborted) return;
      this.#problem = error;
      if (this.#row) this.#row.readAt = performance.now();
      this.#isDue = isDue && error.status !== 400;
    }

    this.#reading = false;
    this.#draw();
  }

  async #read(withHistory, signal) {
    const known = this.#row ? this.#row.holders.flatMap(holder => holder.keys).slice(0, mostKeys) : [];
    const asked = withHistory ? known : [];
    const [{ at, results }, history] = await Promise.all([
      batch([{ op: 'get', resource: this.#name }, ...asked.map(key => ({ op: 'key-get', key }))], signal),
      withHistory ? call(`v1/history/${pathOf(this.#name)}`, { signal }) : this.#history,
    ]);
    const [{ status, body }, ...keys] = results;
    if (status !== 200) throw Object.assign(new Error(body.detail), { status });
    this.#row = { ...body, at, readAt: performance.now() };
    this.#history = history;
    // One that is gone, or may not be read, has no value, and is not asked for again.
    keys.forEach((result, i) => this.#values.set(asked[i], result.status === 200 ? result.body.value : null));
    // The names of bound keys come with the lease, so their values come with the next read.
    const bound = body.holders.flatMap(holder => holder.keys).slice(0, mostKeys);
    if (bound.some(key => !this.#values.has(key))) this.#isDue = true;
    for (const key of this.#values.keys()) if (!bound.includes(key)) this.#values.delete(key);
  }

  #draw() {
    const [row, history] = [this.#row, this.#history];
    if (!row) {
      fill(this.state);
      fill(this.headline, this.#problem ? this.#problem.message : 'Reading…');
      this.holders.clear();
      for (const part of [this.queue, this.events, this.since]) fill(part);
      return;
    }

    const held = new Set(row.holders.map(({ token }) => token));
    const order = grants(history.events).find(grant => grant.order && !grant.end && held.has(grant.token));
    const word = order ? 'breaking' : row.state;
    fill(this.state, h('span', { class: `state ${word}` }, word));
    fill(this.headline, this.#headline(row, history));
    this.holders.draw(row, history.events, this.#values);
    fill(this.queue, queueOf(row));
    const owners = new Set(history.events.map(event => event.owner));
    fill(this.owners, [...owners].map(owner => h('option', { value: owner })));
    this.#drawEvents(history);
    this.#explain();
  }

  #headline(row, history) {
    if (row.state === 'delayed')
      return ['Nobody has it. A delay runs: other owners wait until it is over. ', lastEnd(history.events) ?? ''];
    if (row.holders.length > 0) {
      const [holder] = row.holders;
      const from = grants(history.events).find(grant => grant.token === holder.token)?.from;
      const mode = holder.mode !== 'shared' ? '.' : row.capacity ? `, shared by ${row.capacity} at most.` : ', shared.';
      if (row.holders.length > 1) return [`Held by ${many(row.holders.length, 'owner')}`, mode];
      return ['Held by ', shown(holder.owner, 'owner'), from ? [' since ', time(from)] : '', mode];
    }

    return row.lastToken === 0 ? ['Free. It was never used, or not for so long that nothing is stored of it.']
      : ['Free. ', lastEnd(history.events) ?? ''];
  }

  #drawEvents(history) {
    const stints = new Map(grants(history.events).map(grant => [grant.token, grant]));
    fill(this.events, history.events.toReversed().map(event => {
      const grant = stints.get(event.token);
      const why = grant.end === event ? endOf(grant) : event.reason ? ['Asked for: ', shown(event.reason, 'reason')] : '';
      return h('tr', { class: event.kind },
        h('td', { class: 'number' }, String(event.sequence)),
        h('td', { class: 'when' }, time(event.at)),
        h('td', {}, h('span', { class: `kind ${event.kind}` }, kinds[event.kind] ?? event.kind)),
        h('td', {}, shown(event.owner, 'owner')),
        h('td', { class: 'number' }, String(event.token)),
        h('td', { class: 'ended' }, why));
    }));
    say(this.since, history.events.length === 0 ? 'No event is stored of it.'
      : history.firstSequence > 1 ? `Events before number ${history.firstSequence} are no longer stored.` : '');
  }

  #explain() {
    const owner = this.asker.value.trim();
    if (owner && this.#row) fill(this.answer, whyNot(owner, this.#row, this.#history));
    else fill(this.answer, h('p', { class: 'note' }, 'Name an owner, and the history says what became of its lease.'));
  }
}
