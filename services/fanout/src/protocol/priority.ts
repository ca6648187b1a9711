/** How early a subscription degrades when its viewer is slow or the server is short of memory, and how late it catches up. */
export const priorities = ['low', 'normal', 'high'] as const;
export type Priority = (typeof priorities)[number];

/** The part of a viewer's budget that a subscription may use before it degrades. */
export const budgetShare: Readonly<Record<Priority, number>> = { low: 0.5, normal: 1, high: 1.5 };

/** Lower ranks are cut first. */
export const rankOf = (priority: Priority): number => priorities.indexOf(priority);
