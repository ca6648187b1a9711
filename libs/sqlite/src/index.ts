export { openDatabase } from './open-database.ts';
export { isBusy, resultCode } from './result-code.ts';
