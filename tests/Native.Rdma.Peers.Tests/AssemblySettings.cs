// Several tests start, freeze and kill servers: one class at a time keeps a small machine honest.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
