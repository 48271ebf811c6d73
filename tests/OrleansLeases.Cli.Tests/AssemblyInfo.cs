// Its tests mostly wait, for deadlines and for processes to start.
[assembly: CollectionBehavior(MaxParallelThreads = 4)]
