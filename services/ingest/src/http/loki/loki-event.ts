import type { Level, LogEvent, Source } from '@logloom/schemas';
import type { Rejection } from '../../errors.ts';
import { fieldNames } from '../../event/field-names.ts';
import { freeName } from '../../event/free-name.ts';
import type { Labels, LokiEntry } from './loki-push.ts';
import type { GivenFields, Normalizer } from '../../event/normalize.ts';
import { levelOfText } from '../../event/parse-level.ts';
import { microsOfNanos } from '../../event/parse-timestamp.ts';
import { parseJsonObject } from '../../event/parse-json.ts';

const levelNames = ['level', 'severity', 'severity_text', 'lvl', 'loglevel', 'log_level', 'detected_level'];
const serviceNames = ['service_name', 'service', 'app', 'application'];
const hostNames = ['host', 'hostname', 'host_name'];
/** Where Loki looks for a service when there is no service_name. These labels name other things too, so they also stay attributes. */
const secondServiceNames = [
  'app_name',
  'name',
  'app_kubernetes_io_name',
  'container',
  'container_name',
  'k8s_container_name',
  'component',
  'workload',
  'job',
  'k8s_job_name',
];
const secondHostNames = ['instance', 'nodename', 'node_name', 'k8s_node_name'];

const logfmtLevel = /(?:^|\s)(?:level|lvl|severity)="?([A-Za-z]{1,16}\d?)"?(?=\s|$)/;
const logfmtTrace = /(?:^|\s)(?:trace_id|traceId|traceID|trace\.id)="?([0-9a-fA-F-]{8,64})"?(?=\s|$)/;

/**
 * Returns the LogEvent of an entry. A line that is a JSON object is read as an event with the labels around it; every other line is the
 * message as it is. Labels and structured metadata become attributes, except for those that name a field.
 */
export function lokiEvent(
  { timeNanos, line, metadata }: LokiEntry,
  labels: Labels,
  source: Source,
  receivedAtMs: number,
  normalizer: Normalizer,
): LogEvent | Rejection {
  const bag = copyOf(metadata);
  const clash = addAbsent(bag, labels);
  const given: GivenFields = {
    timestamp: timeNanos === 0n ? undefined : microsOfNanos(timeNanos),
    level: takeLevel(bag),
    service: takeFirst(serviceNames, bag),
    host: takeFirst(hostNames, bag),
  };
  const finish = (fields: GivenFields, object: Record<string, unknown>): LogEvent | Rejection => {
    const result = normalizer.normalizeGiven({ ...given, ...fields }, object, source, receivedAtMs);
    if (!('ok' in result)) return result;
    const event = result.ok;
    if (event.service === 'unknown') event.service = first(secondServiceNames, bag) ?? event.service;
    event.host ??= first(secondHostNames, bag) ?? null;
    return event;
  };
  const parsed = line.startsWith('{') ? parseJsonObject(line) : undefined;
  if (parsed !== undefined) {
    const event = finish({ otherwise: line }, merge(parsed, bag, clash));
    // A line that cannot be an event becomes the message.
    if (!('code' in event)) return event;
  }
  return finish({ message: line, ...readLogfmt(line, given.level, bag) }, merge({}, bag, clash));
}

/** Adds the labels to a line's own members. Where both have a name, the line's value keeps it and the label goes under `labels`. */
function merge(line: Readonly<Record<string, unknown>>, bag: Labels, clash: Labels): Record<string, unknown> {
  const object = copyOf(line);
  const rest = Object.assign(addAbsent(object, bag), clash);
  if (Object.keys(rest).length > 0) object[freeName('labels', object)] = rest;
  return object;
}

/** Adds the labels whose names the object does not have. Returns those for which it has another value. */
function addAbsent(object: Record<string, unknown>, labels: Labels): Labels {
  const others = Object.create(null) as Labels;
  for (const name in labels)
    if (!(name in object)) object[name] = labels[name]!;
    else if (object[name] !== labels[name]) others[name] = labels[name]!;
  return others;
}

/** Returns a copy without a prototype, so that any string can be a name in it. */
function copyOf<T>(object: Readonly<Record<string, T>>): Record<string, T> {
  return Object.assign(Object.create(null) as Record<string, T>, object);
}

/** Returns the level and trace of a logfmt line, which stays the message. */
function readLogfmt(line: string, level: Level | undefined, bag: Labels): GivenFields {
  if (!line.includes('=')) return {};
  const fields: GivenFields = {};
  if (level === undefined) {
    const word = logfmtLevel.exec(line)?.[1];
    if (word !== undefined) fields.level = levelOfText(word);
  }
  if (!fieldNames.traceId.some((name) => name in bag)) fields.traceId = logfmtTrace.exec(line)?.[1];
  return fields;
}

function takeLevel(bag: Labels): Level | undefined {
  for (const name of levelNames) {
    const level = bag[name] === undefined ? undefined : levelOfText(bag[name]);
    if (level === undefined) continue;
    delete bag[name];
    return level;
  }
  return undefined;
}

function takeFirst(names: readonly string[], bag: Labels): string | undefined {
  const name = names.find((each) => (bag[each] ?? '') !== '');
  if (name === undefined) return undefined;
  const value = bag[name];
  delete bag[name];
  return value;
}

function first(names: readonly string[], bag: Labels): string | undefined {
  const name = names.find((each) => (bag[each] ?? '') !== '');
  return name === undefined ? undefined : bag[name];
}
