// Each test has a cluster of its own and loads the machine; they run one after the other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
