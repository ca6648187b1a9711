/** How early a subscription steps down when its viewer or the server is under pressure, and how late it catches up. */
export const priorities = ['low', 'normal', 'high'] as const;
export type Priority = (typeof priorities)[number];

/** Of the budget's marks for stepping down. */
export const budgetShare: Readonly<Record<Priority, number>> = { low: 0.5, normal: 1, high: 1.5 };

/** The lower goes first where someone has to go. */
export const rankOf = (priority: Priority): number => priorities.indexOf(priority);
