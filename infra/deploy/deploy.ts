/** `node infra/deploy/deploy.ts blue-green|rolling|status <file> [--to blue|green] [--json]`; README.md beside it explains the file. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { blueGreen } from './blue-green/blue-green.ts';
import type { DeployContext } from './deploy-context.ts';
import { DeploymentError, parseDeployment, releaseNames, type ReleaseName } from './deployment.ts';
import { Instances } from './instances.ts';
import { exitCodes, RefusedError, type Outcome } from './outcome.ts';
import { ProxyFile } from './proxy-file/proxy-file.ts';
import { rolling } from './rolling/rolling.ts';
import { prove } from './smoke/prove.ts';
import { status } from './status.ts';
import { StepReport } from './step-report.ts';

const usage = `usage: node infra/deploy/deploy.ts blue-green|rolling|status <file> [--to blue|green] [--json]`;
const deploys = { 'blue-green': blueGreen, rolling };

/** Prints what happens, and returns the exit code. */
async function deploy(
  args: string[],
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<number> {
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  try {
    const { command, file, to, json } = readArguments(args);
    const deployment = parseDeployment(readFileSync(file, 'utf8'));
    const report = new StepReport(write, json);
    const context: DeployContext = {
      deployment,
      instances: new Instances(deployment, env['METRICS_TOKEN']),
      proxy: new ProxyFile(deployment),
      report,
      key: env['LOGLOOM_KEY'],
      token: env['LOGLOOM_TOKEN'],
      prove,
      signal,
    };
    if (command === 'status') {
      await status(context, write, json);
      return 0;
    }
    const outcome = await deploys[command](context, to);
    report.note(`${outcome} (exit code ${exitCodes[outcome]})`);
    return exitCodes[outcome];
  } catch (error) {
    const isExpected = error instanceof RefusedError || error instanceof DeploymentError;
    process.stderr.write(`deploy: ${isExpected ? error.message : String(error)}\n`);
    return exitCodes['refused' satisfies Outcome];
  }
}

function readArguments(args: string[]): {
  command: keyof typeof deploys | 'status';
  file: string;
  to: ReleaseName | undefined;
  json: boolean;
} {
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { to: { type: 'string' }, json: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    const [command, file, ...rest] = positionals;
    const to = releaseNames.find((name) => name === values.to);
    if (file === undefined || rest.length > 0 || (values.to !== undefined && to === undefined))
      throw new RefusedError(usage);
    if (command !== 'blue-green' && command !== 'rolling' && command !== 'status')
      throw new RefusedError(usage);
    return { command, file, to, json: values.json };
  } catch (error) {
    if (error instanceof RefusedError) throw error;
    throw new RefusedError(`${(error as Error).message}\n${usage}`, { cause: error });
  }
}

const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.on(name, () => interrupt.abort(new Error(`interrupted by ${name}`)));
// eslint-disable-next-line no-restricted-syntax -- the composition root
process.exitCode = await deploy(process.argv.slice(2), process.env, interrupt.signal);
