export { columnDefinitions, eventColumns, eventId, requestColumns } from './schema.ts';
