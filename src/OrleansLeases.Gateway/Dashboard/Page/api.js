// Calls of /v1, as any client makes them.

// Beside the page, below whatever path it is served.
const root = new URL('../', import.meta.url);
const patience = 10_000;

// In memory alone: browsers write what a page stores to disk, and every page of this origin could read it.
// Decision dashboard-key-in-memory.
let key = null;

export const useKey = value => {
  key = value;
};

export const hasKey = () => key !== null;

/** A call that came to nothing: refused, or without an answer, which has the status 0. */
export class Problem extends Error {
  constructor(status, body, retryAfter) {
    super(body.detail ?? body.title ?? `The server answered with status ${status}.`);
    this.status = status;
    this.type = (body.type ?? '').split(':').pop();
    this.body = body;
    this.retryAfter = retryAfter;
  }
}

/** The path of a name: its slashes stay. */
export const pathOf = name => name.split('/').map(encodeURIComponent).join('/');

export async function request(path, { method = 'GET', body, signal, headers = {} } = {}) {
  if (key !== null) headers.authorization = `Bearer ${key}`;
  if (body !== undefined) headers['content-type'] = 'application/json';
  let response;
  try {
    response = await fetch(new URL(path, root), {
      method, headers, signal, cache: 'no-store', redirect: 'error', body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (signal?.aborted && signal.reason?.name !== 'TimeoutError') throw error;
    throw new Problem(0, { detail: 'The server does not answer.' });
  }

  if (response.ok) return response;
  const seconds = Number(response.headers.get('retry-after'));
  throw new Problem(response.status, await response.json().catch(() => ({})), seconds > 0 ? seconds * 1000 : null);
}

/** Calls, and reads the answer. What may be repeated is repeated once where the server says that it does not know. */
export async function call(path, { signal, ...options } = {}) {
  const limit = AbortSignal.timeout(patience);
  const response = await request(path, { ...options, signal: signal ? AbortSignal.any([signal, limit]) : limit });
  try {
    return await response.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, { detail: 'The answer of the server broke off.' });
  }
}

/** Several reads in one call. Counts from the sending of it: what is shown as left is left, if anything more. */
export async function batch(operations, signal) {
  const sent = performance.now();
  const { elapsedMs, results } = await call('v1/batch', { method: 'POST', body: { operations }, signal });
  return { at: sent + elapsedMs, results };
}

// Random ids for requests: randomUUID is there on secure origins only.
export const newId = () => [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('');

export const query = parameters => {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== '');
  return given.length ? `?${new URLSearchParams(given)}` : '';
};
