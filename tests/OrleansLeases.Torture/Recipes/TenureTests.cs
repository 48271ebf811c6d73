namespace OrleansLeases.Torture.Recipes;

public sealed class TenureTests
{
    [Theory]
    [InlineData(Tenure.Alone, Tenure.Alone, 10, 20, 1)]
    [InlineData(Tenure.Alone, Tenure.Alone, 10, 10, 1)]
    [InlineData(Tenure.Alone, Tenure.Alone, 11, 20, 0)]
    [InlineData(Tenure.WithOthers, Tenure.Alone, 5, 6, 1)]
    [InlineData(Tenure.Alone, Tenure.WithOthers, 5, 6, 1)]
    [InlineData(Tenure.WithOthers, Tenure.WithOthers, 5, 20, 0)]
    public void Tenures_AtOnce_AreFoundWhereOneOfThemHadToBeAlone(string first, string second, long from, long until, int found) =>
        Assert.Equal(found, Tenure.FindOverlaps([new(second, 2, from, until), new(first, 1, 0, 10)]).Count);

    [Fact]
    public void ATenure_ThatLastsLongerThanALaterOne_IsComparedWithAllThatFollow() =>
        Assert.Equal(2, Tenure.FindOverlaps([new(Tenure.Alone, 1, 0, 10), new(Tenure.Alone, 2, 1, 2), new(Tenure.Alone, 3, 9, 12)]).Count);
}
