/** What a socket subscribes to: topics, or groups, which DISH sockets have instead. */
import type { Attachment } from './attachment.js';
import { encodePart, type Sendable } from './encode.js';
import { checkGroup } from './message-tags.js';
import { native } from './native.js';
import { findSocketOption } from './option-codec.js';

/** All of them are checked before the first is subscribed to. */
export function changeSubscriptions(
  attachment: Attachment,
  method: 'subscribe' | 'unsubscribe',
  topics: readonly Sendable[],
): void {
  const list = (topics.length === 0 ? [''] : topics).map((topic, index) =>
    encodePart(topic, `topics[${index}]`),
  );
  if (attachment.ended !== undefined) throw attachment.ended;
  for (const topic of list) {
    if (attachment.type.name === 'XSUB') {
      attachment.sender.sendSync(Buffer.concat([Buffer.of(method === 'subscribe' ? 1 : 0), topic]));
      continue;
    }
    const entry = findSocketOption(method === 'subscribe' ? 'ZMQ_SUBSCRIBE' : 'ZMQ_UNSUBSCRIBE');
    const errno = native.socketSetOption(attachment.slot, entry.id, topic);
    if (errno !== 0) throw attachment.failure(errno, `Cannot ${method}`);
  }
}

/** All of them are checked before the first is joined. */
export function changeGroups(
  attachment: Attachment,
  method: 'join' | 'leave',
  groups: readonly string[],
): void {
  for (const [index, group] of groups.entries()) checkGroup(group, `groups[${index}]`);
  if (attachment.ended !== undefined) throw attachment.ended;
  for (const group of groups) {
    const errno = native.socketGroup(attachment.slot, group, method === 'leave');
    if (errno !== 0) throw attachment.failure(errno, `Cannot ${method} the group '${group}'`);
  }
}
