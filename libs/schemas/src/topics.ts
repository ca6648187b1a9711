/** The topics, by what they hold (ARCHITECTURE.md follows an event through them). */
export const topics = {
  raw: 'logs.raw',
  events: 'logs.events',
  correlations: 'logs.correlations',
  deadLetter: 'logs.dead-letter',
  alerts: 'logs.alerts',
  windows: 'logs.windows',
} as const;
