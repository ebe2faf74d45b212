/*
 * What an author of documents imports; everything has its home in another package. The client and the
 * node are entries of their own, so that a definition does not bring them into its bundle.
 */
export * from '@fanfold/definition'
