export { FillTable } from './fill-table.ts';
export { openDatabase } from './open-database.ts';
export { isBusy, resultCode } from './result-code.ts';
