import { Ajv, type ErrorObject } from 'ajv';
import { readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { LoadtestError } from '../errors.ts';
import { describeProblem, type Problem } from './problem.ts';
import { eventsProblems, readEvents, type EventsFile } from './read-events.ts';
import { readViewer, viewerProblems, type ViewerFile } from './read-viewers.ts';
import type { Scenario, TargetPlan } from './scenario.ts';
import { secondsOf } from './seconds-of.ts';
import { stagesOf, type StageFile } from './read-stages.ts';
import eventsSchema from './events.schema.json' with { type: 'json' };
import viewerSchema from './viewer.schema.json' with { type: 'json' };
import { faultPlanKinds } from './fault-plan.ts';
import { Ramp } from './ramp.ts';
import { faultProblems, readFault, type FaultFile } from './read-faults.ts';
import faultSchema from './fault.schema.json' with { type: 'json' };
import schema from './scenario.schema.json' with { type: 'json' };

/** A scenario as its file says it; scenario.schema.json is its shape. */
interface ScenarioFile {
  name?: string;
  description?: string;
  viewers: {
    stages: StageFile[];
    mix?: ViewerFile[];
    churn?: { share: number; every: string };
  };
  events: EventsFile;
  faults?: FaultFile[];
  objectives?: Scenario['objectives'];
  target?: TargetPlan;
}

const builtInFolder = join(import.meta.dirname, 'built-in');
const validate = new Ajv({ allErrors: true, discriminator: true })
  .addSchema([eventsSchema, faultSchema, viewerSchema])
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
  return readScenario(text, basename(path).replace(/\.ya?ml$/, ''), dirname(path));
}

/**
 * The scenario in YAML (or JSON); `name` is used where it has none, and files that it names are looked for in `folder`. Throws LoadtestError
 * `bad-scenario` with every problem and its line, one a line.
 */
export function readScenario(text: string, name: string, folder = '.'): Scenario {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const problems = document.errors.map(({ message }) => message.split('\n')[0]!);
  const file: unknown = problems.length > 0 ? undefined : document.toJS();
  const describe = (problem: Problem): string => describeProblem(problem, { document, lines });
  if (problems.length === 0 && !validate(file))
    problems.push(...new Set((validate.errors ?? []).map(problemOf).map(describe)));
  if (problems.length === 0) problems.push(...problemsOf(file as ScenarioFile).map(describe));
  const scenario = problems.length > 0 ? undefined : scenarioOf(file as ScenarioFile, name, folder);
  if (scenario !== undefined)
    problems.push(...faultProblems(scenario.faults, secondsOfScenario(scenario)).map(describe));
  if (problems.length > 0 || scenario === undefined)
    throw new LoadtestError('bad-scenario', `${name}:\n${problems.join('\n')}`);
  return scenario;
}

/** What the schema cannot say. */
function problemsOf({ viewers: { mix = [] }, events }: ScenarioFile): Problem[] {
  return [...viewerProblems(mix), ...eventsProblems(events)];
}

function scenarioOf(file: ScenarioFile, name: string, folder: string): Scenario {
  const { mix = [{ watch: 'service' as const }], churn } = file.viewers;
  return {
    name: file.name ?? name,
    description: file.description ?? '',
    viewers: {
      stages: stagesOf(file.viewers.stages),
      mix: mix.map(readViewer),
      ...(churn === undefined ? {} : { churn: { share: churn.share, everySeconds: secondsOf(churn.every) } }),
    },
    events: readEvents(file.events, folder),
    faults: (file.faults ?? []).map(readFault),
    objectives: file.objectives ?? [],
    ...(file.target === undefined ? {} : { target: file.target }),
  };
}

function secondsOfScenario({ viewers, events }: Scenario): number {
  return Math.max(new Ramp(viewers.stages).seconds, new Ramp(events.stages).seconds);
}

function problemOf({ instancePath, message, params, keyword }: ErrorObject): Problem {
  const at = instancePath
    .split('/')
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  if (keyword === 'additionalProperties') {
    const name = String(params.additionalProperty);
    return { at, text: `has an unknown member ${name}`, near: [...at, name] };
  }
  if (keyword === 'discriminator')
    return { at: [...at, 'kind'], text: `must be one of ${faultPlanKinds.join(', ')}` };
  const text =
    keyword === 'enum'
      ? `must be one of ${(params.allowedValues as string[]).join(', ')}`
      : (message ?? keyword);
  return { at, text };
}
