// The view of the service: what it is, how it is, and what the page has seen of it.

import { call } from './api.js';
import { Chart, every, Series } from './chart.js';
import { fill, h } from './dom.js';
import { count, setting, shown } from './text.js';

const engines = {
  'embedded-memory': 'one process, in memory', 'embedded-sqlite': 'one process, on SQLite', orleans: 'Orleans cluster',
};
const endings = ['released', 'expired', 'transferred', 'broken'];

/** Counts what the watch tells, and times what the page asks, whichever view is open. */
export class Meters {
  trip = new Series();
  granted = new Series();
  ended = new Series();
  keys = new Series();
  #counts = {};
  ends = {};
  health = undefined;

  constructor() {
    this.clear();
  }

  /** Begins anew: others are watched. */
  clear() {
    this.#counts = { granted: 0, ended: 0, keys: 0 };
    this.ends = Object.fromEntries(endings.map(name => [name, 0]));
    for (const series of [this.granted, this.ended, this.keys]) series.values = [];
  }

  take({ name }) {
    if (name === 'granted') this.#counts.granted++;
    else if (name in this.ends) {
      this.#counts.ended++;
      this.ends[name]++;
    } else if (name.startsWith('key-')) this.#counts.keys++;
  }

  /** Ends a period, in which all was heard or not. */
  count(isLive) {
    for (const name of ['granted', 'ended', 'keys']) {
      this[name].add(isLive ? this.#counts[name] * 1000 / every : null);
      this.#counts[name] = 0;
    }
  }

  async ask() {
    const sent = performance.now();
    try {
      await call('health/ready');
      this.health = { isReady: true };
    } catch (error) {
      // Where the service is a part of an application, that has a health of its own.
      this.health = error.status === 404 ? null : { isReady: false, detail: error.message };
      if (error.status === 0) return this.trip.add(null);
    }

    this.trip.add(performance.now() - sent);
  }
}

const rate = value => `${value >= 10 ? Math.round(value) : value.toFixed(1)} /s`;

export class ServicePage {
  #nextRead = 0;

  constructor(meters, watch, rights) {
    Object.assign(this, { meters, watch, rights });
    this.facts = h('dl', { class: 'facts' });
    this.server = h('div', { class: 'servers' });
    this.members = h('div', { class: 'holders members' });
    this.ends = h('dl', { class: 'facts ends' });
    this.charts = [
      new Chart('Round trip', meters.trip, value => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`, 'no answer'),
      new Chart('Grants', meters.granted, rate),
      new Chart('Leases ended', meters.ended, rate),
      new Chart('Changes of keys', meters.keys, rate),
    ];
    this.limits = h('dl', { class: 'facts' });
    this.element = h('section', { class: 'view page-view' },
      h('h1', { tabindex: -1 }, 'Service'),
      this.server, this.facts,
      h('h2', {}, 'Members'), this.members,
      h('h2', {}, 'The last five minutes'),
      h('div', { class: 'charts' }, this.charts.map(chart => chart.element)),
      h('p', { class: 'note' }, 'As this page has seen it since it was opened: the round trip is that of its own calls, '
        + 'the rates are those of its watch.'),
      h('h2', {}, 'How leases ended'), this.ends,
      h('h2', {}, 'Limits'), this.limits);
  }

  watches = () => '';

  open() {
    document.title = 'Service – Leases';
    this.drawn();
    return true;
  }

  take() {
    this.#drawEnds();
  }

  tick() {
  }

  async refresh() {
    if (performance.now() < this.#nextRead) return;
    this.#nextRead = performance.now() + every;
    try {
      const { members } = await call('v1/members');
      fill(this.members, members.map(member));
    } catch (error) {
      fill(this.members, h('p', { class: error.status === 403 ? 'note' : 'problem' }, error.message));
    }
  }

  /** Says what was measured meanwhile. */
  drawn() {
    for (const chart of this.charts) chart.draw();
    const { health } = this.meters;
    const isLost = this.watch.state.name === 'lost';
    const [word, said] = isLost ? ['lost', 'It does not answer this page.']
      : health === undefined ? ['asking', 'Asking it…']
      : health === null ? ['unknown', 'It tells no health of its own here.']
      : health.isReady ? ['ready', 'It takes calls; its store is well.'] : ['not ready', health.detail];
    const others = this.isCluster ? ' This is the one server that this page came from; below are all.' : '';
    fill(this.server, h('article', { class: 'card' },
      h('div', { class: 'holder' }, shown(location.host, 'owner'), h('span', { class: `state ${word.replace(' ', '-')}` }, word)),
      h('p', { class: 'note' }, said, others)));
    this.#drawEnds();
  }

  #drawEnds() {
    fill(this.ends, endings.map(name => fact(name, count(this.meters.ends[name]))));
  }

  async resync() {
    try {
      const info = await call('v1/info');
      this.isCluster = info.engine === 'orleans';
      fill(this.facts,
        fact('Engine', engines[info.engine] ?? info.engine), fact('Survives a restart', info.durable ? 'yes' : 'no'),
        fact('Version', info.version), fact('Restore epoch', String(info.epoch)), fact('Grace', setting(info.graceMs)),
        info.retainMs === undefined ? null : fact('Unused names are kept', info.retainMs ? setting(info.retainMs) : 'for ever'),
        info.service ? fact('Store', shown(info.service, 'id')) : null,
        this.rights.principal ? fact('You are', shown(this.rights.principal, 'owner')) : null);
      fill(this.limits, Object.entries(info.limits).map(([name, value]) => name.endsWith('Ms')
        ? fact(words(name.slice(0, -2)), setting(value)) : fact(words(name), count(value))));
    } catch (error) {
      fill(this.facts, h('p', { class: 'problem' }, error.message));
    }

    this.drawn();
  }
}

const states = { silent: 'does not answer', 'not-ready': 'not ready' };

// One process of the service: its health, its clock, and what it has.
function member({ name, address, state, detail, version, clockOffsetMs, held, waiters, records, diskBytes }) {
  const clock = clockOffsetMs === undefined ? null
    : clockOffsetMs === 0 ? 'in step with the database'
    : `${Math.abs(clockOffsetMs)} ms ${clockOffsetMs > 0 ? 'ahead of' : 'behind'} the database`;
  return h('article', { class: 'card' },
    h('div', { class: 'holder' },
      shown(name, 'owner'), h('span', { class: `state ${state === 'silent' ? 'lost' : state}` }, states[state] ?? state)),
    detail ? h('p', { class: 'note' }, detail) : null,
    h('dl', { class: 'facts' },
      address ? fact('Address', shown(address, 'id')) : null, clock ? fact('Clock', clock) : null,
      held === undefined ? null : fact('Leases in memory', count(held)),
      waiters === undefined ? null : fact('Requests that wait', count(waiters)),
      records === undefined ? null : fact('Records stored', count(records)),
      diskBytes === undefined ? null : fact('On disk', `${(diskBytes / 1048576).toFixed(1)} MiB`),
      version ? fact('Version', version) : null));
}

const fact = (name, value) => h('div', {}, h('dt', {}, name), h('dd', {}, value));

const words = name => name.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`).replace(/^min/, 'Shortest').replace(/^max/, 'Most')
  .replace('Most ttl', 'Longest time to live').replace('Shortest ttl', 'Shortest time to live').replace('Most wait', 'Longest wait')
  .replace('Longest waiters', 'Most waiters').replace('Most batch', 'Most in a batch').replace('Most keys', 'Most keys of a lease');
