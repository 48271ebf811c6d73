using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Tests;

public sealed class TerminalTextTests
{
    [Theory]
    [InlineData("jobs/nightly", "jobs/nightly")]
    [InlineData("it's", "'it'\\''s'")]
    [InlineData("$HOME", "'$HOME'")]
    [InlineData("", "''")]
    public void Quote_OfAnyWord_IsOneWordOfAShell(string word, string quoted) => Assert.Equal(quoted, TerminalText.Quote(word));

    [Theory]
    [InlineData("a\u202eb", "a\\u202eb")]
    [InlineData("a\u200bb", "a\\u200bb")]
    [InlineData("a\u2028b\u2029", "a\\u2028b\\u2029")]
    [InlineData("a\U000e0041", "a\\U000e0041")]
    [InlineData("a\u3164", "a\\u3164")]
    [InlineData("größe 😀 字", "größe 😀 字")]
    public void Show_OfWhatDoesNotShowAsItself_ShowsEscapes(string text, string shown) => Assert.Equal(shown, TerminalText.Show(text));

    [Fact]
    public void Show_OfHalfASurrogatePair_ShowsAnEscape() => Assert.Equal("a\\ud800b", TerminalText.Show($"a{(char)0xd800}b"));

    [Fact]
    public void Quote_OfWhatDoesNotShowAsItself_IsReadBackByTheShell() =>
        Assert.Equal("$'it\\'s \\u202e'", TerminalText.Quote("it's \u202e"));

    [Fact]
    public void Sentence_OfSeveralLines_IsOne() => Assert.Equal("one two", TerminalText.Sentence("one\r\ntwo\n"));

    [Fact]
    public void Show_OfControlCharacters_ShowsEscapes() => Assert.Equal("a\\u001b[2Jb\\u000a", TerminalText.Show("a\u001b[2Jb\n"));
}
