import type { RunResult } from '@logloom/loadtest';

/** What a viewer takes of generator, server and kernel, from the look of a run with most viewers. */
export function resourceLines({ resources }: Pick<RunResult, 'resources'>): string[] {
  const [before, ...looks] = resources?.looks ?? [];
  const fullest = looks.toSorted((a, b) => b.viewers - a.viewers)[0];
  if (before === undefined || fullest === undefined) return ['memory was not measured'];
  const { viewers, generator, server, kernel } = fullest;
  const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
  const each = (bytes: number): string => (bytes / viewers / 1_000).toFixed(1);
  const ofKernel = (look: typeof fullest): number => look.kernel.objectBytes + look.kernel.bufferBytes;
  const more = ofKernel(fullest) - ofKernel(before);
  return [
    ...(server === null || before.server === null
      ? ['server: its processes were not found']
      : [
          `server: ${server.processes} processes, ${mebibytes(server.memoryBytes)} MiB; more than without viewers: ${each(server.memoryBytes - before.server.memoryBytes)} KB a viewer`,
        ]),
    `generator: ${generator.processes} processes, ${mebibytes(generator.memoryBytes)} MiB; more than without viewers: ${each(generator.memoryBytes - before.generator.memoryBytes)} KB a viewer`,
    `kernel, for both ends of each connection: ${mebibytes(more)} MiB more, ${each(more)} KB a viewer`,
    `${kernel.tcpSockets} TCP sockets; ${generator.descriptors} open descriptors of the generator, ${server?.descriptors ?? 'unknown'} of the server`,
  ];
}
