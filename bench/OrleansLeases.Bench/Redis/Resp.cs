using System.Text;

namespace OrleansLeases.Bench.Redis;

internal static class Resp
{
    public static byte[] Command(params string[] arguments)
    {
        var text = new StringBuilder($"*{arguments.Length}\r\n");
        foreach (var argument in arguments)
            text.Append(null, $"${Encoding.UTF8.GetByteCount(argument)}\r\n{argument}\r\n");
        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
