import { type Command } from 'commander';
import { text } from 'node:stream/consumers';
import { csvLine } from '../output/csv-line.ts';
import { colors as pc } from '../output/colors.ts';
import { tableLines } from '../output/table-lines.ts';
import { readSqlResult } from '../sql/read-sql-result.ts';
import type { CommandContext, ViewersFlags } from './command-context.ts';
import { openStream } from './open-stream.ts';

interface SqlFlags extends ViewersFlags {
  csv: boolean;
}

/** A table needs its rows in memory; more are for other forms. */
const maxTableRows = 1_000;

/** Adds `logloom sql`. */
export function addSqlCommand(program: Command, context: CommandContext): void {
  const { endpoint, viewers, token, json, write, note, signal } = context;
  program
    .command('sql')
    .description(
      'run a reading SQL statement over the tables events, requests and alerts of the embedded store',
    )
    .argument('<statement>', 'DuckDB\'s SQL, for example "DESCRIBE events"; - is standard input')
    .option('--csv', 'CSV with a head', false)
    .addOption(viewers)
    .addOption(token)
    .addOption(json)
    .action(async (statement: string, options: SqlFlags) => {
      const sql = statement === '-' ? await text(process.stdin) : statement;
      const response = await openStream(endpoint(options), '/api/sql', {}, signal, { sql });
      const { columns, rows } = readSqlResult(response);
      const names = columns.map(({ name }) => name);
      if (options.csv) write(csvLine(names));
      const table: unknown[][] = [];
      let left = 0;
      for await (const row of rows) {
        if (options.json) write(JSON.stringify(row));
        else if (options.csv) write(csvLine(names.map((name) => row[name])));
        else if (table.length < maxTableRows) table.push(names.map((name) => row[name]));
        else left++;
      }
      if (options.json || options.csv) return;
      for (const line of tableLines(names, table)) write(line);
      note(pc.dim(`${table.length} rows${left === 0 ? '' : `; ${left} more with --json or --csv`}`));
    });
}
