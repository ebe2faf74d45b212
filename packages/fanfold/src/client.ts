/* What a page or a program imports that observes and writes documents. */
export * from '@fanfold/client'
