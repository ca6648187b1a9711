/**
 * How many queues the sender has. Each has one batch under way; the events of a request of the traffic all go through one of them, so that
 * they are stored in their order.
 */
export const queueCount = 8;
