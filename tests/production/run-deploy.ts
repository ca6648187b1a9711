import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const program = join(import.meta.dirname, '../../infra/deploy/deploy.ts');

export interface DeployRun {
  code: number | null;
  /** Of the smoke tests that passed: their marked events are in the log, too. */
  smoked: { run: string; events: number }[];
}

/** Runs infra/deploy as a process of its own. */
export async function runDeploy(args: string[], onLine: (line: string) => void): Promise<DeployRun> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const smoked: DeployRun['smoked'] = [];
  const read = async (stream: NodeJS.ReadableStream): Promise<void> => {
    for await (const line of createInterface(stream)) {
      onLine(line);
      for (const [, run, events] of line.matchAll(/run ([0-9a-f]+): (\d+) events/g))
        smoked.push({ run: run!, events: Number(events) });
    }
  };
  const [[code]] = (await Promise.all([once(child, 'exit'), read(child.stdout), read(child.stderr)])) as [
    [number | null],
    void,
    void,
  ];
  return { code, smoked };
}
