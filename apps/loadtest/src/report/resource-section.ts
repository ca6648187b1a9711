import type { ProcessResources, ResourceLook, RunResult } from '../result.ts';
import { formatBytes, formatCount, formatSeconds } from './format-quantity.ts';
import type { Section } from './report-section.ts';

/** Memory, descriptors and sockets of generator, server and kernel, by stage. */
export function resourceSection({ resources }: RunResult): Section {
  const title = 'Memory, descriptors and sockets by stage';
  const [before, ...looks] = resources?.looks ?? [];
  if (resources === undefined || resources === null || before === undefined)
    return { title, paragraphs: ['Not measured: the machine of the generator does not tell.'], tables: [] };
  const of = (part: ProcessResources | null): string[] =>
    part === null ? ['not here', 'not here'] : [formatBytes(part.memoryBytes), formatCount(part.descriptors)];
  return {
    title,
    paragraphs: [
      'At the end of each stage. Memory is what is resident without the pages of files, and has what a process took before its first viewer. The kernel counts for the whole machine, whoever has it: its memory is that of all its objects and of the buffers of sockets, more than before the first viewer.',
      resources.hasServer
        ? 'The server is on this machine too, so both ends of each connection are in what the kernel has.'
        : "No process of the server was found on this machine: its memory and descriptors are not measured, and of each connection only the generator's end is in what the kernel has.",
    ],
    tables: [
      {
        caption: 'What was in use',
        columns: [
          'stage',
          'at',
          'viewers',
          'generator memory',
          'generator descriptors',
          'server memory',
          'server descriptors',
          'TCP sockets',
          'of the kernel',
          'of the kernel, for each viewer',
        ],
        rows: [before, ...looks].map((look) => [
          look.stage ?? 'before the first viewer',
          formatSeconds(look.atS),
          formatCount(look.viewers),
          ...of(look.generator),
          ...of(look.server),
          `${formatCount(look.kernel.tcpSockets)} and ${formatCount(look.kernel.timeWaitSockets)} in TIME-WAIT`,
          ...kernelCells(look, before),
        ]),
      },
    ],
  };
}

function kernelCells(look: ResourceLook, before: ResourceLook): string[] {
  if (look === before) return [formatBytes(kernelBytes(look)), '–'];
  const more = kernelBytes(look) - kernelBytes(before);
  // Others on the machine may have freed more.
  if (more <= 0) return ['no more than before', '–'];
  return [`${formatBytes(more)} more`, look.viewers === 0 ? '–' : formatBytes(more / look.viewers)];
}

function kernelBytes({ kernel }: ResourceLook): number {
  return kernel.bufferBytes + kernel.objectBytes;
}
