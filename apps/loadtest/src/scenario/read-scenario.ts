import { Ajv, type ErrorObject } from 'ajv';
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { LoadtestError } from '../errors.ts';
import {
  defaultTraffic,
  type Scenario,
  type Shape,
  type Stage,
  type TargetPlan,
  type WatchKind,
} from './scenario.ts';
import { faultPlanKinds } from './fault-plan.ts';
import { Ramp } from './ramp.ts';
import { faultProblems, readFault, type FaultFile } from './read-faults.ts';
import { secondsOf } from './seconds-of.ts';
import faultSchema from './fault.schema.json' with { type: 'json' };
import schema from './scenario.schema.json' with { type: 'json' };

/** A scenario as its file says it; scenario.schema.json is its shape. */
interface ScenarioFile {
  name?: string;
  description?: string;
  viewers: {
    stages: StageFile[];
    mix?: { weight?: number; watch: WatchKind; stall?: { every: string; for: string } }[];
    churn?: { share: number; every: string };
  };
  events: { stages: StageFile[] } & Partial<typeof defaultTraffic>;
  faults?: FaultFile[];
  objectives?: Scenario['objectives'];
  target?: TargetPlan;
}

interface StageFile {
  name?: string;
  to?: number;
  for: string;
  shape?: Shape;
  count?: number;
}

const builtInFolder = join(import.meta.dirname, 'built-in');
const validate = new Ajv({ allErrors: true, discriminator: true })
  .addSchema(faultSchema)
  .compile<ScenarioFile>(schema);

/** The names of the scenarios that come with Logloom. */
export function builtInScenarios(): string[] {
  return readdirSync(builtInFolder)
    .map((file) => basename(file, '.yaml'))
    .sort();
}

/** Reads a file, or a scenario that comes with Logloom. Throws LoadtestError `bad-scenario` with every problem, one a line. */
export function loadScenario(nameOrPath: string): Scenario {
  const isBuiltIn = builtInScenarios().includes(nameOrPath);
  const path = isBuiltIn ? join(builtInFolder, `${nameOrPath}.yaml`) : nameOrPath;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new LoadtestError(
      'bad-scenario',
      `there is no scenario ${nameOrPath}: neither a file (${(error as Error).message}) nor one of ${builtInScenarios().join(', ')}`,
      { cause: error },
    );
  }
  return readScenario(text, basename(path).replace(/\.ya?ml$/, ''));
}

/** The scenario in YAML (or JSON); `name` is used where it has none. Throws LoadtestError `bad-scenario` with every problem, one a line. */
export function readScenario(text: string, name: string): Scenario {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const problems = document.errors.map(({ message }) => message.split('\n')[0]!);
  const file: unknown = problems.length > 0 ? undefined : document.toJS();
  if (problems.length === 0 && !validate(file)) problems.push(...(validate.errors ?? []).map(problemOf));
  const scenario = problems.length > 0 ? undefined : scenarioOf(file as ScenarioFile, name);
  if (scenario !== undefined) problems.push(...faultProblems(scenario.faults, secondsOfScenario(scenario)));
  if (problems.length > 0 || scenario === undefined)
    throw new LoadtestError('bad-scenario', `${name}:\n${problems.join('\n')}`);
  return scenario;
}

function scenarioOf(file: ScenarioFile, name: string): Scenario {
  const { stages, ...traffic } = file.events;
  const { mix = [{ watch: 'service' }], churn } = file.viewers;
  return {
    name: file.name ?? name,
    description: file.description ?? '',
    viewers: {
      stages: stagesOf(file.viewers.stages),
      mix: mix.map(({ weight = 1, watch, stall }) => ({
        weight,
        watch,
        ...(stall === undefined
          ? {}
          : { stall: { everySeconds: secondsOf(stall.every), seconds: secondsOf(stall.for) } }),
      })),
      ...(churn === undefined ? {} : { churn: { share: churn.share, everySeconds: secondsOf(churn.every) } }),
    },
    events: { stages: stagesOf(stages), traffic: { ...defaultTraffic, ...traffic } },
    faults: (file.faults ?? []).map(readFault),
    objectives: file.objectives ?? [],
    ...(file.target === undefined ? {} : { target: file.target }),
  };
}

function secondsOfScenario({ viewers, events }: Scenario): number {
  return Math.max(new Ramp(viewers.stages).seconds, new Ramp(events.stages).seconds);
}

function stagesOf(stages: readonly StageFile[]): Stage[] {
  let value = 0;
  return stages.map(({ to = value, for: duration, shape = 'linear', ...rest }) => {
    if (shape !== 'spike' && shape !== 'bursts') value = to;
    return { ...rest, to, shape, seconds: secondsOf(duration) };
  });
}

function problemOf({ instancePath, message, params, keyword }: ErrorObject): string {
  const where = instancePath === '' ? 'the scenario' : instancePath.slice(1).replaceAll('/', '.');
  if (keyword === 'additionalProperties')
    return `${where} has an unknown member ${String(params.additionalProperty)}`;
  if (keyword === 'enum') return `${where} must be one of ${(params.allowedValues as string[]).join(', ')}`;
  if (keyword === 'discriminator') return `${where}.kind must be one of ${faultPlanKinds.join(', ')}`;
  return `${where} ${message}`;
}
