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

    public static Names Of(Scheduling.Dice dice) => new(
        Make("lock", dice.Between(1, 5)), Make("shared", dice.Between(1, 2)), Make("bound", dice.Between(1, 4)), Make("free", 2),
        Make("counter", 2));

    public IEnumerable<string> Resources => Exclusive.Concat(Shared);

    public IEnumerable<string> Keys => BoundKeys.Concat(FreeKeys).Concat(Counters);

    private static string[] Make(string kind, int count) => [.. Enumerable.Range(0, count).Select(number => $"{kind}/{number}")];
}
