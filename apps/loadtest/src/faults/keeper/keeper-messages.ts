import type { KeptFault } from '../../scenario/fault-plan.ts';
import type { ProcessNames } from './find-process.ts';

export interface KeeperStart {
  type: 'start';
  run: string;
  /** Where the journal goes. */
  folder: string;
  names: ProcessNames;
  commands: Readonly<Record<string, string>>;
}

export type ToKeeper =
  | KeeperStart
  | { type: 'begin'; id: number; fault: KeptFault }
  | { type: 'end'; id: number }
  | { type: 'close' };

export type FromKeeper =
  | { type: 'started' }
  /** The fault is in force; `problem`: it could not be made. */
  | { type: 'begun'; id: number; problem: string | null }
  /** It is over. */
  | { type: 'ended'; id: number; undone: boolean; detail: string }
  | { type: 'closed' };
