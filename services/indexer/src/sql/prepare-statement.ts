import { StatementType, type DuckDBConnection, type DuckDBPreparedStatement } from '@duckdb/node-api';

/** The only statement of a text, if it reads. Rejects with the reason, in words, if it is refused. */
export async function prepareStatement(
  connection: DuckDBConnection,
  sql: string,
): Promise<DuckDBPreparedStatement> {
  if (sql.replaceAll(/--.*|\/\*[\s\S]*?\*\/|[\s;]/g, '') === '') throw new Error('there is no statement');
  const statements = await connection.extractStatements(sql);
  if (statements.count !== 1)
    throw new Error('one statement is run at a time (a PIVOT has to name its values with IN)');
  const statement = await statements.prepare(0);
  const { statementType, parameterCount } = statement;
  if (statementType !== StatementType.SELECT && statementType !== StatementType.EXPLAIN)
    throw new Error(
      'only statements that read are run: SELECT, WITH, FROM, VALUES, DESCRIBE, SUMMARIZE, SHOW, EXPLAIN',
    );
  if (parameterCount > 0) throw new Error('parameters have no values here');
  return statement;
}
