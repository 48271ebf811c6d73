// The one watch of the page. EventSource cannot send a credential, so the stream is read here.

import { Problem, query, request } from './api.js';

const shortest = 500;
const longest = 15_000;
// The server sends a comment every 15 s.
const silence = 40_000;
// A browser has six connections to a server that has no HTTP/2. A tab that nobody looks at gives its one back.
const unseen = 60_000;

export class Watch extends EventTarget {
  #prefix = null;
  #abort = null;
  #timer = null;
  #failures = 0;
  #hidden = null;
  #state = { name: 'connecting' };

  constructor() {
    super();
    addEventListener('online', () => this.retry());
    document.addEventListener('visibilitychange', () => this.#look());
  }

  get prefix() {
    return this.#prefix;
  }

  get state() {
    return this.#state;
  }

  /** Watches every name that starts with this, from now on. */
  start(prefix) {
    this.#prefix = prefix;
    this.#failures = 0;
    this.#connect();
  }

  /** Tries at once what would have been tried later. */
  retry() {
    if (this.#prefix !== null && ['lost', 'paused'].includes(this.#state.name)) this.#connect();
  }

  stop(name = 'stopped') {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    this.#abort = null;
    this.#tell({ name });
  }

  #look() {
    clearTimeout(this.#hidden);
    if (document.hidden) this.#hidden = setTimeout(() => this.#state.name !== 'stopped' && this.stop('paused'), unseen);
    else this.retry();
  }

  #tell(state) {
    this.#state = state;
    this.dispatchEvent(new CustomEvent('state', { detail: state }));
  }

  async #connect() {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    const abort = this.#abort = new AbortController();
    if (this.#state.name !== 'lost') this.#tell({ name: 'connecting' });
    try {
      await this.#read(abort);
      throw new Problem(0, { detail: 'The server ended the connection.' });
    } catch (error) {
      if (abort !== this.#abort) return;
      this.#abort = null;
      if (error.status === 401) {
        this.stop();
        this.dispatchEvent(new CustomEvent('unauthorized'));
        return;
      }

      const wait = error.retryAfter ?? Math.min(longest, shortest * 2 ** this.#failures++) * (0.8 + 0.4 * Math.random());
      const since = this.#state.since ?? new Date();
      this.#tell({ name: 'lost', since, until: performance.now() + wait, reason: error.message });
      this.#timer = setTimeout(() => this.#connect(), wait);
    }
  }

  async #read(abort) {
    let heard = performance.now();
    const guard = setInterval(() => performance.now() - heard > silence && abort.abort(), 5000);
    try {
      const response = await request(`v1/watch${query({ prefix: this.#prefix }) || '?prefix='}`, { signal: abort.signal });
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      const parse = parser((name, data) => abort === this.#abort && this.#take(name, data));
      for (let isOpen = false; ; isOpen = true) {
        const { value, done } = await reader.read();
        if (done) return;
        heard = performance.now();
        if (!isOpen) {
          this.#failures = 0;
          this.#tell({ name: 'live' });
          // What happened before is not told; what the server knows has to be asked for.
          this.dispatchEvent(new CustomEvent('resync'));
        }

        parse(value);
      }
    } catch (error) {
      if (abort.signal.aborted) throw new Problem(0, { detail: 'Nothing was heard of the server for 40 s.' });
      throw error instanceof Problem ? error : new Problem(0, { detail: 'The connection to the server broke.' });
    } finally {
      clearInterval(guard);
    }
  }

  #take(name, data) {
    if (name === 'resync') this.dispatchEvent(new CustomEvent('resync'));
    else this.dispatchEvent(new CustomEvent('change', { detail: { name, data: JSON.parse(data) } }));
  }
}

// Server-sent events, of as many chunks as they come in.
function parser(take) {
  let rest = '';
  let name = '';
  let data = '';
  return chunk => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith('event: ')) name = line.slice(7);
      else if (line.startsWith('data: ')) data = line.slice(6);
      else if (line === '') {
        if (name && data) take(name, data);
        name = data = '';
      }
    }
  };
}
