import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import avro from 'avsc';

/** The contracts, by the name of their Avro record. */
export const contractNames = [
  'LogEvent',
  'Correlation',
  'DeadLetter',
  'Tick',
  'Rules',
  'Alert',
  'Link',
  'Forward',
  'Silence',
  'Acknowledgement',
  'WindowCut',
  'WindowSnapshot',
] as const;
export type ContractName = (typeof contractNames)[number];

const files: Record<ContractName, string> = {
  LogEvent: 'log-event',
  Correlation: 'correlation',
  DeadLetter: 'dead-letter',
  Tick: 'tick',
  Rules: 'rules',
  Alert: 'alert',
  Link: 'link',
  Forward: 'forward',
  Silence: 'silence',
  Acknowledgement: 'acknowledgement',
  WindowCut: 'window-cut',
  WindowSnapshot: 'window-snapshot',
};

/** The path of a contract's current schema. */
export function contractPath(name: ContractName): string {
  return join(import.meta.dirname, '..', 'avro', `${files[name]}.avsc`);
}

/** The path of a version that was released; it is never edited, so that records written by it stay readable. */
export function versionPath(name: ContractName, version: number): string {
  return join(import.meta.dirname, '..', 'versions', `${files[name]}.v${version}.avsc`);
}

/** The text of a contract's current schema, as a registry wants it. */
export function contractText(name: ContractName): string {
  return readFileSync(contractPath(name), 'utf8');
}

/** Parses an Avro schema. Each call has its own registry of names, so that two schemas may define the same name. */
export function parseSchema(text: string): avro.Type {
  return avro.Type.forSchema(JSON.parse(text) as avro.Schema);
}
