import type { Level } from '@logloom/schemas';
import { fold } from './name-table.ts';

type Event = Readonly<Record<string, unknown>>;

/** By the names that servers and frameworks use, folded; nested ones joined. The unit is that of the name, where it says one. */
const methodNames = [
  'method',
  'requestmethod',
  'httprequestmethod',
  'httpmethod',
  'httprequestrequestmethod',
  'reqmethod',
  'httpverb',
  'verb',
  'csmethod',
  'clientrequestmethod',
];
const pathNames = [
  'path',
  'requestpath',
  'requesturi',
  'uri',
  'url',
  'urlpath',
  'urloriginal',
  'httptarget',
  'httpurl',
  'httproute',
  'httprequestrequesturl',
  'httprequesturi',
  'requesturl',
  'requesturi',
  'requrl',
  'originalpath',
  'csuristem',
  'clientrequesturi',
  'target',
];
const statusNames = [
  'status',
  'statuscode',
  'responsecode',
  'responsestatus',
  'downstreamstatus',
  'httpresponsestatuscode',
  'httpstatuscode',
  'httpstatus',
  'httprequeststatus',
  'resstatuscode',
  'scstatus',
  'edgeresponsestatus',
  'responsestatuscode',
  'response',
];
const durationNames: Readonly<Record<string, string>> = {
  durationms: ' ms',
  elapsedms: ' ms',
  latencyms: ' ms',
  responsetimems: ' ms',
  requesttime: ' s',
  durationseconds: ' s',
  httprequestlatency: '',
  duration: '',
  elapsed: '',
  latency: '',
  responsetime: '',
  timetaken: '',
  took: '',
};
/** A request line, as nginx and Apache have it. */
const lineNames = ['request', 'requestline'];
const errorNames = [
  'errormessage',
  'errmessage',
  'exceptionmessage',
  'errormsg',
  'errmsg',
  'error',
  'err',
  'exception',
  'reason',
  'description',
];
const maxLength = 2048;

/** A message for an event that has none, and the level that a status says. */
export interface MadeMessage {
  message: string;
  level?: Level;
}

/** Makes a readable message of method, path, status and duration, else of an error's text; undefined where there is nothing of the kind. */
export function makeMessage(event: Event): MadeMessage | undefined {
  const values = new Map<string, string>();
  collect(event, '', values, 0);
  const first = (names: readonly string[]): string | undefined =>
    values.get(names.find((name) => values.has(name)) ?? '');
  const method = first(methodNames);
  const path = first(pathNames);
  const line = first(lineNames);
  const status = first(statusNames);
  const request = method !== undefined && path !== undefined ? `${method} ${path}` : (line ?? path ?? method);
  if (request !== undefined && (status !== undefined || path !== undefined || line !== undefined)) {
    const name = Object.keys(durationNames).find((each) => values.has(each));
    const duration = name === undefined ? undefined : `${values.get(name)}${durationNames[name]}`;
    const message = [request, status, duration].filter((part) => part !== undefined).join(' ');
    const level = status === undefined ? undefined : levelOfStatus(Number(status));
    return level === undefined ? { message } : { message, level };
  }
  const error = first(errorNames);
  return error === undefined ? undefined : { message: error };
}

function levelOfStatus(status: number): Level | undefined {
  return status >= 500 && status < 600 ? 'error' : status >= 400 && status < 500 ? 'warn' : undefined;
}

function collect(event: Event, outer: string, values: Map<string, string>, depth: number): void {
  for (const key in event) {
    const value = event[key];
    const name = outer + fold(key);
    if (typeof value === 'string' || typeof value === 'number') {
      const text = String(value);
      if (text !== '' && text !== '-' && text.length <= maxLength && !values.has(name))
        values.set(name, text);
    } else if (depth < 2 && typeof value === 'object' && value !== null && !Array.isArray(value))
      collect(value as Event, name, values, depth + 1);
  }
}
