using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Tests;

public sealed class PlainTests
{
    [Theory]
    [InlineData("jobs/nightly", "jobs/nightly")]
    [InlineData("it's", "'it'\\''s'")]
    [InlineData("$HOME", "'$HOME'")]
    [InlineData("", "''")]
    public void Quote_OfAnyWord_IsOneWordOfAShell(string word, string quoted) => Assert.Equal(quoted, Plain.Quote(word));

    [Fact]
    public void Show_OfControlCharacters_ShowsEscapes() => Assert.Equal("a\\u001b[2Jb\\u000a", Plain.Show("a\u001b[2Jb\n"));
}
