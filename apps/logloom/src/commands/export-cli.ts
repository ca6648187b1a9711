import { Option, type Command } from 'commander';
import { once } from 'node:events';
import type { CommandContext, ViewersFlags } from './command-context.ts';
import { openStream } from './open-stream.ts';
import { CommandError } from './command-errors.ts';

interface ExportFlags extends Omit<ViewersFlags, 'json'> {
  format?: 'ndjson' | 'csv' | 'parquet';
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
    .addOption(
      new Option(
        '--format <format>',
        "of the events (default: as --output's name ends, else ndjson)",
      ).choices(['ndjson', 'csv', 'parquet']),
    )
    .option('-o, --output <file>', 'a new file, of Parquet a new folder (default: standard output)')
    .option('--resume', 'continue an export that was interrupted, exactly where it ended')
    .option('--from <time>', 'RFC 3339, epoch ms, or now-15m')
    .option('--to <time>', 'in the same forms; exclusive')
    .option('--columns <names>', 'of CSV, separated by commas: timestamp, message, attributes.http.status, …')
    .option('--escape-formulas', "in CSV, put a ' before texts that a spreadsheet would run as formulas")
    .option('--limit <n>', 'number of events (default: all); of Parquet, in each file (default: 200,000)')
    .addOption(viewers)
    .addOption(token)
    .action(async (q: string, options: ExportFlags) => {
      const { output, resume = false, from, to, columns, escapeFormulas, limit } = options;
      const format = options.format ?? formatOf(output);
      const formulas = escapeFormulas ? 'escape' : undefined;
      const query = { q, format, from, to, columns, formulas, limit };
      if (format === 'parquet') {
        if (output === undefined)
          throw new CommandError('command-failed', '--format parquet needs --output, a folder');
        const { exportParts } = await import('../export/export-parts.ts');
        const parts = await exportParts(endpoint(options), {
          folder: output,
          query,
          resumes: resume,
          signal,
        });
        note(`${output}: ${parts} ${parts === 1 ? 'file' : 'files'}`);
        return;
      }
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

function formatOf(file = ''): 'ndjson' | 'csv' | 'parquet' {
  if (/\.csv$/i.test(file)) return 'csv';
  return /\.parquet$/i.test(file) ? 'parquet' : 'ndjson';
}
