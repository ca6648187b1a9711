import { Option, type Command } from 'commander';
import { once } from 'node:events';
import type { CommandContext, ViewersFlags } from './command-context.ts';
import { openStream } from './open-stream.ts';
import { CommandError } from './command-errors.ts';

interface ExportFlags extends Omit<ViewersFlags, 'json'> {
  format: 'ndjson' | 'csv';
  output?: string;
  resume?: boolean;
  from?: string;
  to?: string;
  columns?: string;
  escapeFormulas?: boolean;
  limit?: string;
}

/** Adds `logloom export`. */
export function addExportCommand(program: Command, context: CommandContext): void {
  const { endpoint, viewers, token, note, signal } = context;
  program
    .command('export')
    .description('write all matching events, oldest first, to a file or to standard output')
    .argument('[filter]', 'Lucene syntax', '')
    .addOption(new Option('--format <format>', 'of the events').choices(['ndjson', 'csv']).default('ndjson'))
    .option('-o, --output <file>', 'a new file (default: standard output)')
    .option('--resume', 'continue the file of an export that was interrupted, exactly where it ended')
    .option('--from <time>', 'RFC 3339, epoch ms, or now-15m')
    .option('--to <time>', 'in the same forms; exclusive')
    .option('--columns <names>', 'of CSV, separated by commas: timestamp, message, attributes.http.status, …')
    .option('--escape-formulas', "in CSV, put a ' before texts that a spreadsheet would run as formulas")
    .option('--limit <n>', 'number of events (default: all)')
    .addOption(viewers)
    .addOption(token)
    .action(async (q: string, options: ExportFlags) => {
      const { format, output, resume = false, from, to, columns, escapeFormulas, limit } = options;
      const formulas = escapeFormulas ? 'escape' : undefined;
      const query = { q, format, from, to, columns, formulas, limit };
      if (output !== undefined) {
        const { exportFile } = await import('../export/export-file.ts');
        const bytes = await exportFile(endpoint(options), {
          file: output,
          format,
          query,
          resumes: resume,
          signal,
        });
        note(`${output}: ${bytes} bytes`);
        return;
      }
      if (resume) throw new CommandError('command-failed', '--resume needs --output');
      const { body } = await openStream(endpoint(options), '/api/export', query, signal);
      try {
        for await (const part of body)
          if (!process.stdout.write(part)) await once(process.stdout, 'drain', { signal });
      } catch (cause) {
        throw new CommandError('interrupted', `the export was interrupted (${(cause as Error).message})`);
      }
    });
}
