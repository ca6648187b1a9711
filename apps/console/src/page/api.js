/** The search API. Every call returns the response's JSON or throws an ApiError; one without a valid token asks the person for it. */
import { askForToken, askToLogIn, viewerToken } from './viewer-token.js';

export class ApiError extends Error {
  /** @param {string} code @param {string} message @param {number} [position] */
  constructor(code, message, position) {
    super(message);
    this.code = code;
    this.position = position;
  }
}

/**
 * @param {string} path e.g. `search`
 * @param {Record<string, string | number | undefined>} parameters empty and undefined ones are left out
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function getJson(path, parameters = {}, signal) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') query.set(name, String(value));
  }
  return request(`${path}${query.size > 0 ? `?${query}` : ''}`, signal ? { signal } : {});
}

/**
 * Changes something.
 * @param {'POST' | 'DELETE'} method
 * @param {string} path
 * @param {object} [body] sent as JSON
 * @returns {Promise<any>}
 */
export async function sendJson(method, path, body) {
  return request(path, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
}

/** @param {string} path @param {RequestInit & { headers?: Record<string, string> }} options @returns {Promise<any>} */
async function request(path, options) {
  let response;
  try {
    const token = viewerToken();
    response = await fetch(`api/${path}`, {
      ...options,
      headers: { ...options.headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError('unreachable', 'Logloom does not respond. Is it running?');
  }
  if (response.status === 204) return undefined;
  const body = await response.json().catch(() => undefined);
  if (response.ok && body !== undefined) return body;
  const error = body?.error;
  if (response.status === 401) {
    // Logloom always says why: this is another server's refusal, that of a login page in front.
    if (error === undefined) askToLogIn();
    else askForToken(error.message);
  }
  throw new ApiError(
    error?.code ?? `http-${response.status}`,
    error?.message ?? `The server responded with ${response.status}.`,
    error?.position,
  );
}
