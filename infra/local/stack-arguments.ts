import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { engineNames, type EngineName, type MongodbMode } from './engine.ts';
import type { StackOptions } from './start-stack.ts';

export const commands = ['run', 'start', 'env', 'status', 'stop'] as const;

export interface StackArguments {
  command: (typeof commands)[number];
  help: boolean;
  dir: string;
  /** Take up the data of the run before. */
  keep: boolean;
  options: StackOptions;
}

export const usage = `Usage: npm run stack -- [run | start | env | status | stop] [options]

  run      start the engines, print their settings, stay until Ctrl-C (the default)
  start    the same in the background: returns when all are ready
  env      print the settings of the running stack; exit code 1 when none runs
  status   print the engines of the running stack; exit code 1 when none runs
  stop     stop the running stack

  --only <engines>      start only these, for example kafka,redis
  --without <engines>   start all but these
                        engines: ${engineNames.join(', ')}
  --brokers <n>         Kafka brokers, default 1
  --<engine>-port <n>   default any free port; several brokers take the next ones
  --mongodb-mode <m>    what the MongoDB stand-in looks like: mongos (default) or standalone
  --redis-cluster       three nodes of Redis as a cluster
  --redis-sentinel      a primary, a replica and three sentinels
  --throughput          for benchmarks: full JIT, more memory, a slower start
  --secured             TLS and logins for Kafka, Redis and MongoDB; needs openssl
  --keep                take up the data of the run before; without it, every start is empty
  --dir <folder>        the run folder (data, logs), default .stack in the repository
`;

/** Throws an Error with all problems, one a line. */
export function parseStackArguments(args: string[]): StackArguments {
  const ports = Object.fromEntries(engineNames.map((name) => [`${name}-port`, { type: 'string' as const }]));
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...ports,
      only: { type: 'string' },
      without: { type: 'string' },
      brokers: { type: 'string' },
      'mongodb-mode': { type: 'string' },
      'redis-cluster': { type: 'boolean', default: false },
      'redis-sentinel': { type: 'boolean', default: false },
      throughput: { type: 'boolean', default: false },
      secured: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      dir: { type: 'string', default: join(import.meta.dirname, '../../.stack') },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const problems: string[] = [];
  const given = values as Record<string, string | boolean | undefined>;
  const [command = 'run', ...rest] = positionals;
  if (!isOneOf(commands, command)) problems.push(`${command} is not a command: ${commands.join(', ')}`);
  if (rest.length > 0) problems.push(`too many arguments: ${rest.join(' ')}`);
  if (values['redis-cluster'] && values['redis-sentinel'])
    problems.push('--redis-cluster and --redis-sentinel: give one of them');
  const parsed: StackOptions = {
    only: engines(values.only, problems),
    without: engines(values.without, problems),
    brokers: wholeNumber('brokers', values.brokers, 9, problems),
    mongodbMode: mongodbMode(values['mongodb-mode'], problems),
    redisMode: values['redis-cluster'] ? 'cluster' : values['redis-sentinel'] ? 'sentinel' : undefined,
    ports: {},
    throughput: values.throughput,
    secured: values.secured,
  };
  for (const name of engineNames) {
    const port = wholeNumber(`${name}-port`, given[`${name}-port`] as string | undefined, 65_535, problems);
    if (port !== undefined) parsed.ports![name] = port;
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const { dir, keep, help } = values;
  return { command: command as StackArguments['command'], help, dir, keep, options: parsed };
}

function engines(list: string | undefined, problems: string[]): EngineName[] | undefined {
  const names = list?.split(',');
  for (const name of names ?? [])
    if (!isOneOf(engineNames, name)) problems.push(`${name} is not an engine: ${engineNames.join(', ')}`);
  return names as EngineName[] | undefined;
}

function mongodbMode(text: string | undefined, problems: string[]): MongodbMode | undefined {
  if (text === undefined || text === 'mongos' || text === 'standalone') return text;
  problems.push(`--mongodb-mode ${text} is neither mongos nor standalone`);
  return undefined;
}

function wholeNumber(
  name: string,
  text: string | undefined,
  max: number,
  problems: string[],
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  problems.push(`--${name} ${text} is not a whole number from 1 to ${max}`);
  return undefined;
}

function isOneOf<T extends string>(choices: readonly T[], text: string): text is T {
  return (choices as readonly string[]).includes(text);
}
