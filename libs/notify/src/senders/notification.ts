import type { AlertState } from '../alert-state.ts';

/** One message to one receiver: what has happened in a group of alerts. */
export interface Notification {
  /** The same message always has the same; a repeat of it hours later has another. */
  id: string;
  receiver: string;
  /** Names the group for as long as the receiver is told about it: the key of an incident. */
  groupId: string;
  /** The labels that the alerts of the group have in common by which they were grouped. */
  groupLabels: Readonly<Record<string, string>>;
  /** `resolved`: nothing in the group fires any more. */
  status: 'firing' | 'resolved';
  /** Those that fire, the oldest first, then those that were resolved since the last message. */
  alerts: readonly AlertState[];
  /** How many fire, and how many were resolved, also where `alerts` does not have all of them. */
  firingCount: number;
  resolvedCount: number;
  /** Who has acknowledged all that fires; null: not everything is. */
  ackedBy: string | null;
  /** Whether this message is only about an acknowledgement. */
  isAcknowledgement: boolean;
}

/** The most alerts that a message names. */
export const mostAlerts = 100;
