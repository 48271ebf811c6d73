// The page: what is shown, what is watched, and how the reader is told when the server is lost.

import { Leases } from './leases.js';
import { LeaseList } from './lease-list.js';
import { LeasePage } from './lease-page.js';
import { KeyList, KeyPage } from './keys.js';
import { Meters, ServicePage } from './service.js';
import { Rights, askForKey, drawReader } from './rights.js';
import { Watch } from './watch.js';
import { every } from './chart.js';
import { fill, h, say } from './dom.js';
import { read } from './route.js';
import { hasKey, useKey } from './api.js';
import { duration } from './text.js';

const byId = id => document.getElementById(id);
const [main, banner, link] = [byId('main'), byId('banner'), byId('link')];

const rights = new Rights();
const watch = new Watch();
const leases = new Leases();
const meters = new Meters();
const views = {
  leases: new LeaseList(leases, rights),
  lease: new LeasePage(rights),
  keys: new KeyList(),
  key: new KeyPage(),
  service: new ServicePage(meters, watch, rights),
};
let view = null;
let isAsking = false;

// The views that are right by what the watch has told since they were read.
const upToDate = new Set();

function show() {
  const address = read(location.hash);
  const next = views[address.view];
  if (!next) {
    main.replaceChildren(h('p', { class: 'empty' }, 'This address leads nowhere. ', h('a', { href: '#/' }, 'All leases')));
    view = null;
    return;
  }

  const isOther = view !== next;
  const hadView = view !== null;
  view = next;
  const place = { lease: 'leases', key: 'keys' }[address.view] ?? address.view;
  for (const a of document.querySelectorAll('nav a')) {
    if (a.dataset.view === place) a.setAttribute('aria-current', 'page');
    else a.removeAttribute('aria-current');
  }

  if (isOther) {
    main.replaceChildren(next.element);
    // Of these, only the one that is open takes events.
    for (const single of [views.lease, views.key, views.service]) upToDate.delete(single);
  }

  const isNew = next.open(address);
  follow(next.watches(address.parameters));
  if (isNew || !upToDate.has(next)) sync();
  if (isOther && hadView) next.element.querySelector('h1').focus({ preventScroll: true });
}

function sync() {
  upToDate.add(view);
  view?.resync();
}

// One watch at a time, of as much as the view is about. For a single name the one that has it among others goes on.
function follow(prefix) {
  const isSingle = view === views.lease || view === views.key;
  if (watch.prefix !== null && (isSingle ? prefix.startsWith(watch.prefix) : prefix === watch.prefix)) return;
  upToDate.clear();
  meters.clear();
  watch.start(prefix);
}

function tell(state) {
  const words = { live: 'Live', connecting: 'Connecting…', lost: 'Not connected', paused: 'Paused', stopped: 'Stopped' };
  link.className = `link ${state.name}`;
  say(link, words[state.name]);
  document.body.classList.toggle('stale', state.name !== 'live');
  banner.hidden = state.name !== 'lost';
  if (state.name !== 'lost') return;
  const since = state.since.toLocaleTimeString('en-GB');
  fill(banner, h('span', {}, `The server was lost at ${since}. What is shown is from then. ${state.reason}`),
    h('span', { class: 'again', 'aria-hidden': true }), h('button', { type: 'button' }, 'Try now'));
  banner.querySelector('button').onclick = () => watch.retry();
}

async function ask(detail) {
  if (isAsking) return;
  isAsking = true;
  rights.principal = null;
  await askForKey(rights, detail);
  isAsking = false;
  begin();
}

function begin() {
  drawReader(byId('who'), rights, () => {
    useKey(null);
    location.reload();
  });
  if (watch.prefix !== null) watch.start(watch.prefix);
  view = null;
  show();
  measure();
}

async function measure() {
  if (document.hidden || isAsking) return;
  await meters.ask();
  if (view === views.service) view.drawn();
}

watch.addEventListener('state', event => tell(event.detail));
watch.addEventListener('unauthorized', () => ask(hasKey() ? 'The key is no longer valid.' : null));
watch.addEventListener('resync', () => {
  if (rights.principal === null) rights.load().catch(() => {});
  upToDate.clear();
  sync();
});
watch.addEventListener('change', ({ detail }) => {
  meters.take(detail);
  if (detail.data.key === undefined) leases.take(detail);
  else views.keys.take(detail);
  if (view !== views.leases && view !== views.keys) view?.take(detail);
});
addEventListener('hashchange', () => show());
addEventListener('keydown', event => {
  const isTyping = event.target.closest?.('input, textarea, dialog');
  if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const search = view?.prefix;
  if (!search) return;
  event.preventDefault();
  search.focus();
});
byId('skip').addEventListener('click', event => {
  event.preventDefault();
  main.focus();
});

setInterval(() => {
  if (!document.hidden) view?.tick(performance.now());
}, 100);
setInterval(() => {
  const { state } = watch;
  if (state.name === 'lost') say(banner.querySelector('.again'), `Trying again in ${duration(state.until - performance.now())}`);
  if (state.name === 'live' && !document.hidden) view?.refresh();
}, 500);
setInterval(() => {
  meters.count(watch.state.name === 'live');
  measure();
}, every);

try {
  await rights.load();
  begin();
} catch (error) {
  if (error.status === 401) ask();
  else begin();
}
