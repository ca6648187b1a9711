import { describeFault, isProxyFault, type FaultPlan } from '../scenario/fault-plan.ts';
import type { Scenario } from '../scenario/scenario.ts';

/** What the scenario's faults do, and what they need, for people. */
export function explainFaults({ faults }: Scenario): string[] {
  if (faults.length === 0) return [];
  const lines = faults.map((fault) => {
    const needs = needsOf(fault);
    const time =
      fault.seconds > 0
        ? `${fault.atSeconds} to ${fault.atSeconds + fault.seconds} s`
        : `${fault.atSeconds} s`;
    return `  ${time}: ${describeFault(fault)}${needs === undefined ? '' : ` (needs ${needs})`}`;
  });
  if (faults.some(isProxyFault))
    lines.push('  a process of its own is the proxy that viewers or the sender go through');
  return ['faults:', ...lines];
}

function needsOf(fault: FaultPlan): string | undefined {
  switch (fault.kind) {
    case 'pause':
    case 'kill':
      return fault.process === 'logloom' || fault.process === 'ingest'
        ? `${fault.process} on this machine, or --pid ${fault.process}=PID`
        : `${fault.process} in the local stack, or --pid ${fault.process}=PID`;
    case 'disk-full':
      return `a small file system of its own at ${fault.folder}`;
    case 'netem':
      return 'tc and root';
    case 'command':
      return fault.command === undefined || fault.undo !== undefined
        ? '--allow-commands'
        : `--command '${fault.command}=…'`;
    default:
      return undefined;
  }
}
