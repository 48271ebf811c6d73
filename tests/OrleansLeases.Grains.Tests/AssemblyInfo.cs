// Its tests mostly wait, for silos to start and for deadlines.
[assembly: CollectionBehavior(MaxParallelThreads = 4)]
