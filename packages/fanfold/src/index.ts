/* What an author of documents imports; everything has its home in another package. */
export * from '@fanfold/definition'
