namespace OrleansLeases.Simulation;

/// <summary>What clients quarrel about.</summary>
internal sealed record Names(
    IReadOnlyList<string> Exclusive,
    IReadOnlyList<string> Shared,
    IReadOnlyList<string> BoundKeys,
    IReadOnlyList<string> FreeKeys,
    IReadOnlyList<string> Counters)
{
    public const string RecipeLock = "recipe/lock";
    public const string RecipePool = "recipe/pool";
    public const string RecipeBook = "recipe/book";
    public const string RecipeLeader = "recipe/leader";
    public const string RecipeTask = "recipe/task";
    public const string RecipeEntry = "recipe/entry";

    /// <param name="dice">Draws how many.</param>
    /// <param name="come">There are more, so that each is free now and then, and comes back.</param>
    public static Names Of(Scheduling.Dice dice, bool come)
    {
        var more = come ? dice.Between(1, 4) : 1;
        // Of one shard, so that one that is dropped raises the floor of others.
        var oneShard = come && dice.OneIn(2);
        return new(
            Make("lock", more * dice.Between(1, 5), oneShard), Make("shared", dice.Between(1, 2), oneShard),
            Make("bound", more * dice.Between(1, 4), oneShard), Make("free", 2 * more, oneShard), Make("counter", 2, oneShard));
    }

    public IEnumerable<string> Resources => Exclusive.Concat(Shared);

    public IEnumerable<string> Keys => BoundKeys.Concat(FreeKeys).Concat(Counters);

    private static string[] Make(string kind, int count, bool oneShard) =>
    [
        .. Enumerable.Range(0, int.MaxValue).Select(number => $"{kind}/{number}")
            .Where(name => !oneShard || RecordFloor.ShardOf(name) == 0).Take(count),
    ];
}
