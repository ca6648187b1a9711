import { levels } from '@logloom/schemas';
import type { Condition, Filter, FilterNode, KeywordField, NumberField, StringMatch } from '../ast.ts';
import { formatGlob, globParts, literalOf } from '../glob.ts';
import { plainWords } from '../predicate/words-matcher.ts';
import { sqlFunctions, type AttributeQuestion } from './functions.ts';

export interface SqlSchema {
  /** Put before each column's name, e.g. `e.` for a table with an alias. */
  columnPrefix: string;
  /** The FTS5 table of the words, with the rowids of the events' table. */
  ftsTable: string;
}

export interface SqlCondition {
  /** Never NULL, so that NOT is the complement. The `?` are in the order of `params`. */
  where: string;
  params: (string | number)[];
}

const defaultSchema: SqlSchema = { columnPrefix: '', ftsTable: 'events_fts' };

const columns: Record<KeywordField | NumberField, string> = {
  id: 'id',
  service: 'service',
  host: 'host',
  correlationId: 'correlation_id',
  correlationKind: 'correlation_kind',
  traceId: 'trace_id',
  spanId: 'span_id',
  timestamp: 'ts',
  partition: 'partition',
  offset: '"offset"',
};

/**
 * The filter as a condition on SQLite's events table (README.md has its columns). The connection needs registerSqlFunctions. Equal filters
 * have equal SQL, so that prepared statements can be reused.
 */
export function compileSql(filter: Filter, schema: Partial<SqlSchema> = {}): SqlCondition {
  const compiler = new SqlCompiler({ ...defaultSchema, ...schema });
  return { where: compiler.node(filter.ast), params: compiler.params };
}

class SqlCompiler {
  readonly params: (string | number)[] = [];
  readonly #schema: SqlSchema;

  constructor(schema: SqlSchema) {
    this.#schema = schema;
  }

  node(node: FilterNode): string {
    switch (node.type) {
      case 'all':
        return '1';
      case 'none':
        return '0';
      case 'not':
        return `NOT (${this.node(node.child)})`;
      case 'and':
      case 'or':
        return node.children
          .map((child) => `(${this.node(child)})`)
          .join(node.type === 'and' ? ' AND ' : ' OR ');
      default:
        return this.#condition(node);
    }
  }

  #condition(condition: Condition): string {
    switch (condition.type) {
      case 'level': {
        const ranks = condition.levels.map((level) => this.#param(levels.indexOf(level)));
        return `${this.#column('level')} IN (${ranks.join(', ')})`;
      }
      case 'keyword':
        return this.#keyword(this.#column(columns[condition.field]), condition.match);
      case 'number': {
        const column = this.#column(columns[condition.field]);
        const { min, max } = condition;
        if (min !== undefined && min === max) return `${column} = ${this.#param(min)}`;
        const bounds = [];
        if (min !== undefined) bounds.push(`${column} >= ${this.#param(min)}`);
        if (max !== undefined) bounds.push(`${column} <= ${this.#param(max)}`);
        return bounds.join(' AND ');
      }
      case 'words':
        return this.#words(condition.words);
      case 'attribute':
        return this.#attribute(condition);
    }
  }

  #keyword(column: string, match: StringMatch): string {
    switch (match.type) {
      case 'exists':
        return `${column} IS NOT NULL`;
      case 'equals':
        // IS is = that returns 0, not NULL, where the column is NULL.
        return `${column} IS ${this.#param(match.value)}`;
      case 'matches':
        return this.#glob(column, match.glob);
      case 'between': {
        // The columns compare by bytes of UTF-8, which is by code points.
        const bounds = [`${column} IS NOT NULL`];
        if (match.min)
          bounds.push(`${column} >${match.min.inclusive ? '=' : ''} ${this.#param(match.min.value)}`);
        if (match.max)
          bounds.push(`${column} <${match.max.inclusive ? '=' : ''} ${this.#param(match.max.value)}`);
        return bounds.join(' AND ');
      }
    }
  }

  #glob(column: string, glob: string): string {
    const parts = globParts(glob);
    // SQLite backtracks over every star: with more than a few, a hostile pattern runs forever.
    if (parts.filter((part) => part.type === 'any').length > 2) {
      return `${sqlFunctions.glob}(${column}, ${this.#param(glob)})`;
    }
    const pattern = formatGlob(parts, (text) => text.replaceAll(/[[*?]/g, '[$&]'));
    return `${column} IS NOT NULL AND ${column} GLOB ${this.#param(pattern)}`;
  }

  #words(globs: readonly string[]): string {
    const words = plainWords(globs);
    if (words !== undefined) return this.#fts(`"${words.join(' ')}"`);
    // FTS5 knows one wildcard: the end of a phrase's last word.
    const prefix = trailingPrefix(globs.at(-1)!);
    const before = plainWords(globs.slice(0, -1));
    if (prefix !== undefined && before !== undefined)
      return this.#fts(`"${[...before, prefix].join(' ')}" *`);
    const exact = globs.map((glob) => literalOf(globParts(glob))).filter((word) => word !== undefined);
    const narrowed =
      exact.length === 0 ? '' : `${this.#fts(exact.map((word) => `"${word}"`).join(' AND '))} AND `;
    return `${narrowed}${sqlFunctions.words}(${this.#column('message')}, ${this.#param(JSON.stringify(globs))})`;
  }

  #fts(query: string): string {
    const { ftsTable } = this.#schema;
    return `${this.#column('rowid')} IN (SELECT rowid FROM ${ftsTable} WHERE ${ftsTable} MATCH ${this.#param(query)})`;
  }

  #attribute({ path, match }: AttributeQuestion): string {
    const column = this.#column('attributes');
    // The path ends with the end of a key, which JSON without escapes contains literally: most rows need not be parsed.
    const keyEnd = path.slice(path.lastIndexOf('.') + 1);
    const narrowed = /^[\w-]+$/.test(keyEnd)
      ? `(instr(${column}, ${this.#param(`${keyEnd}"`)}) > 0 OR instr(${column}, '\\') > 0) AND `
      : '';
    const question: AttributeQuestion = { path, match };
    return `${narrowed}${sqlFunctions.attribute}(${column}, ${this.#param(JSON.stringify(question))})`;
  }

  #column(name: string): string {
    return this.#schema.columnPrefix + name;
  }

  #param(value: string | number): string {
    this.params.push(value);
    return '?';
  }
}

function trailingPrefix(glob: string): string | undefined {
  const [text, wildcard, ...rest] = globParts(glob);
  return text?.type === 'text' && wildcard?.type === 'any' && rest.length === 0 ? text.text : undefined;
}
