import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { columnDefinitions } from './schema.ts';

/** The values of one column; strings, numbers, or null where there is none. */
export type Column = (string | number | null)[];

export interface EngineOptions {
  /** How much memory DuckDB may take for its work; what needs more spills to `temporaryFolder`, or fails. */
  memoryBytes: number;
  temporaryFolder: string;
  threads: number;
}

/** How many rows a chunk of DuckDB holds. */
const chunkRows = 2048;
/**
 * How many connections work at once; the others wait. Node runs as many statements at once, so more would not be faster, and each sort holds
 * a megabyte until its rows are read.
 */
const workAtOnce = 4;

/**
 * DuckDB as an engine without a database file: it reads and writes Parquet, and holds recent rows in memory. It starts at the first need,
 * and again after close().
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #setUps = new Set<(connection: DuckDBConnection) => void>();
  #instance: Promise<DuckDBInstance> | undefined;
  #idle: DuckDBConnection[] = [];
  #atWork = 0;
  readonly #waiting: (() => void)[] = [];
  #staged = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /** Registers functions, once in each instance; the same function is called once. Before the first query that needs them. */
  async setUp(register: (connection: DuckDBConnection) => void): Promise<void> {
    if (this.#setUps.has(register)) return;
    this.#setUps.add(register);
    if (this.#instance !== undefined) await this.use(async (connection) => register(connection));
  }

  /** Runs the work on a connection that nobody else uses meanwhile. The work must not wait for another connection: there are few. */
  async use<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const connection = await this.borrow();
    try {
      return await work(connection);
    } finally {
      if (this.#instance === undefined) connection.closeSync();
      else this.#idle.push(connection);
      this.#leave();
    }
  }

  /** A connection of one's own until discard(); as use(). */
  async borrow(): Promise<DuckDBConnection> {
    if (this.#atWork < workAtOnce) this.#atWork++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return this.#idle.pop() ?? (await this.#connect());
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  /** Ends what the connection still does. */
  discard(connection: DuckDBConnection): void {
    connection.closeSync();
    this.#leave();
  }

  /** The next one takes the place. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#atWork--;
    else next();
  }

  /** The rows of a statement. */
  async rows(sql: string): Promise<unknown[][]> {
    return this.use(async (connection) => (await connection.runAndReadAll(sql)).getRowsJS());
  }

  /**
   * Puts rows into a table of text and numbers (DOUBLE), `columns` by name, runs the work with the table's name, and drops it.
   */
  async withRows<T>(
    columns: Readonly<Record<string, { values: Column; isNumber: boolean }>>,
    work: (connection: DuckDBConnection, table: string) => Promise<T>,
  ): Promise<T> {
    // Loaded at the first need: a process that stores elsewhere should not spend the time and memory.
    const { DuckDBDataChunk, DOUBLE, VARCHAR } = await import('@duckdb/node-api');
    return this.use(async (connection) => {
      const table = `staged_${++this.#staged}`;
      const parts = Object.values(columns);
      const types = Object.fromEntries(
        Object.entries(columns).map(([name, { isNumber }]) => [name, isNumber ? 'DOUBLE' : 'VARCHAR']),
      );
      await connection.run(`CREATE TEMP TABLE ${table} (${columnDefinitions(types)})`);
      try {
        const appender = await connection.createAppender(table);
        const chunkTypes = parts.map(({ isNumber }) => (isNumber ? DOUBLE : VARCHAR));
        const rows = parts[0]?.values.length ?? 0;
        for (let from = 0; from < rows; from += chunkRows) {
          const chunk = DuckDBDataChunk.create(chunkTypes, Math.min(chunkRows, rows - from));
          chunk.setColumns(parts.map(({ values }) => values.slice(from, from + chunkRows)));
          appender.appendDataChunk(chunk);
        }
        appender.closeSync();
        return await work(connection, table);
      } finally {
        await connection.run(`DROP TABLE IF EXISTS ${table}`);
      }
    });
  }

  /** Not while work runs. */
  async close(): Promise<void> {
    const instance = await this.#instance?.catch(() => undefined);
    this.#instance = undefined;
    for (const connection of this.#idle.splice(0)) connection.closeSync();
    instance?.closeSync();
  }

  async #connect(): Promise<DuckDBConnection> {
    this.#instance ??= this.#start();
    try {
      return await (await this.#instance).connect();
    } catch (error) {
      this.#instance = undefined;
      throw error;
    }
  }

  async #start(): Promise<DuckDBInstance> {
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const { memoryBytes, temporaryFolder, threads } = this.#options;
    const instance = await DuckDBInstance.create(':memory:', {
      memory_limit: `${Math.floor(memoryBytes / 1e6)}MB`,
      temp_directory: temporaryFolder,
      threads: String(threads),
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    });
    const connection = await instance.connect();
    // Footers are read once.
    await connection.run("SET parquet_metadata_cache = true; SET TimeZone = 'UTC'");
    for (const register of this.#setUps) register(connection);
    this.#idle.push(connection);
    return instance;
  }
}
