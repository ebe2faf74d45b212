import { type DocumentKey, documentName } from '@fanfold/protocol'

/**
 * The text that a document's owner is drawn by: its key, or its tenant and group when the id begins with
 * a group, as in `acme/match/{final}-a`.
 *
 * All documents of a tenant with one group belong to one authority, whatever their types. This is the only
 * place that knows of groups: to the log, the links and everybody else the braces are part of the id.
 */
export function placementKeyOf(doc: DocumentKey): string {
  const open = doc.indexOf('/{')
  if (open === -1) return doc
  const { tenant, id } = documentName(doc)
  const end = id.indexOf('}')
  // No key of a document has two slashes next to each other, so none is mistaken for a group.
  return id.startsWith('{') && end > 1 ? `${tenant}//${id.slice(1, end)}` : doc
}
