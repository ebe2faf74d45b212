import { type DocumentKey, documentName } from '@fanfold/protocol'

/** What ends the group of an id. */
const groupEnd = '~~'

/**
 * The text that a document's owner is drawn by: its key, or its tenant and group when its id begins with a
 * group, as in `acme/match/final~~a`.
 *
 * All documents of a tenant with one group belong to one authority, whatever their types. This is the only
 * place that knows of groups: to the log, the links and everybody else they are part of the id. They are
 * not in braces, as hash tags are elsewhere, because a key has none: it is safe in URLs, paths and Redis.
 */
export function placementKeyOf(doc: DocumentKey): string {
  if (!doc.includes(groupEnd)) return doc
  const { tenant, id } = documentName(doc)
  const end = id.indexOf(groupEnd)
  // No key of a document has two slashes next to each other, so none is mistaken for a group.
  return end === -1 ? doc : `${tenant}//${id.slice(0, end)}`
}
